"""Strict readers of environment variables. An invalid value stops the start with a sentence about it."""

import logging
import os

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


def log_level(name: str, *, default: str) -> str:
    level = os.environ.get(name, "").strip().upper() or default
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(f"{name} must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    return level
