"""Strict readers of environment variables. An invalid value stops the start with a sentence about it."""

import logging
import os
from importlib.util import find_spec

from django.core.exceptions import ImproperlyConfigured

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
