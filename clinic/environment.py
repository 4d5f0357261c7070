"""Strict readers of environment variables. An invalid value stops the start with a sentence about it."""

import logging
import os
from collections.abc import Collection, Sequence
from importlib.util import find_spec

from django.core.exceptions import ImproperlyConfigured

THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
LEAST_CHARACTERS = 50  # of a SECRET_KEY
SWITCHES = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


def switch(name: str, *, default: bool) -> bool:
    """Return True or False; an empty variable counts as not set. Raises ImproperlyConfigured."""
    text = os.environ.get(name, "").strip().lower()
    if text and text not in SWITCHES:
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return SWITCHES.get(text, default)


def number(name: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number; an empty variable counts as not set. Raises ImproperlyConfigured."""
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def choice(name: str, *, default: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices; an empty variable counts as not set. Raises ImproperlyConfigured."""
    text = os.environ.get(name, "").strip().lower() or default
    if text not in choices:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(choices)}.")
    return text


def check_extra(name: str, url: str, extra: str, package: str) -> str:
    """Return the web address in a setting, which needs an extra of ours; empty if it is not set."""
    if url and not url.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name} must be an address such as https://example.org/1.")
    if url and find_spec(package) is None:
        raise ImproperlyConfigured(f"{name} needs packages: install this project with the extra {extra}.")
    return url


def log_level(name: str, *, default: str) -> str:
    level = os.environ.get(name, "").strip().upper() or default
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(f"{name} must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    return level


def check_secrets_and_hosts(
    keys: Sequence[str], hosts: Sequence[str], *, is_embedded: bool, on: Collection[str]
) -> None:
    """Stop the start if the secret keys or the hosts are unsafe. `on` has the names of DEBUG and DEMO if they are on.

    Raises ImproperlyConfigured.
    """
    is_local = set(hosts) <= set(THIS_MACHINE)
    if is_embedded:
        if not is_local:
            raise ImproperlyConfigured("Set DATABASE_URL to serve other hosts: the embedded mode is a demo.")
        return
    if "DEMO" not in on and min(map(len, keys)) < LEAST_CHARACTERS:
        text = f"SECRET_KEY, and each of SECRET_KEY_FALLBACKS: {LEAST_CHARACTERS} random characters or more."
        raise ImproperlyConfigured(text)
    if not keys[0]:
        raise ImproperlyConfigured("SECRET_KEY must be set.")
    if "DEMO" not in on and (not hosts or "*" in hosts):
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts that this clinic is served on, never *.")
    for name in sorted(on):
        if not is_local:
            raise ImproperlyConfigured(f"{name} must be off where others than this machine are served (ALLOWED_HOSTS).")
