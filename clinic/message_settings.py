"""Checks of the settings for sending email and text messages. An invalid value stops the start."""

import re
from datetime import time, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from phonenumbers import region_code_for_country_code


def quiet_hours(value: str) -> tuple[time, time] | None:
    """Return begin and end of the quiet hours, local times such as `21:00-08:00`; None if the setting is empty."""
    if not value:
        return None
    try:
        begins, ends = (time.fromisoformat(part.strip()) for part in value.split("-"))
    except ValueError:
        raise ImproperlyConfigured(f"QUIET_HOURS must be like 21:00-08:00, or empty, not {value!r}.") from None
    if begins == ends:
        raise ImproperlyConfigured("QUIET_HOURS must begin and end at different times, or be empty.")
    return begins, ends


def days(name: str, value: str) -> tuple[timedelta, ...]:
    """Return growing numbers of days, such as `14,28`; none if the setting is empty."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
    if len(numbers) != len(parts) or numbers != sorted({*numbers} - {0}):
        raise ImproperlyConfigured(f"{name} must be growing numbers of days such as 14,28, or empty, not {value!r}.")
    return tuple(timedelta(days=number) for number in numbers)


def check_sms(url: str, sender: str) -> str:
    """Return the address of the text message service, with user and password; empty if it is not set."""
    parts = urlsplit(url)
    if not url:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or not parts.username or not parts.password:
        raise ImproperlyConfigured(
            "SMS_URL must be like https://USER:PASSWORD@api.twilio.com/2010-04-01/Accounts/USER/Messages.json."
        )
    if not sender:
        raise ImproperlyConfigured("SMS_FROM must be the number or name that text messages come from.")
    return url


def check_country_code(code: str) -> str:
    """Return a country's telephone code such as +44; empty if it is not set."""
    if code and not (re.fullmatch(r"\+?[0-9]{1,3}", code) and region_code_for_country_code(int(code)) != "ZZ"):
        raise ImproperlyConfigured(f"SMS_COUNTRY_CODE must be a country's telephone code such as +44, not {code!r}.")
    return code


def site_url(url: str) -> str:
    """Return the public address of this site, without a slash at its end."""
    if not re.fullmatch(r"https?://[^/\s]+/?", url):
        raise ImproperlyConfigured(f"SITE_URL must be like https://visits.example.org, not {url!r}.")
    return url.rstrip("/")


def web_address(name: str, url: str) -> str:
    """Return the web address in a setting, without a slash at its end."""
    if not re.fullmatch(r"https?://[^/\s]+(/[^/\s?#]+)*/?", url):
        raise ImproperlyConfigured(f"{name} must be like https://visits.example.org/fhir/R4, not {url!r}.")
    return url.rstrip("/")


def provider(name: str, environment: dict[str, str]) -> dict[str, Any]:
    """Return the Django settings of a mail provider (https://anymail.dev): its backend, and its ANYMAIL_ variables."""
    if not re.fullmatch(r"[a-z_]+", name):
        raise ImproperlyConfigured(f"ANYMAIL_PROVIDER must be a name such as postmark, not {name!r}.")
    own = {key.removeprefix("ANYMAIL_"): value for key, value in environment.items() if key.startswith("ANYMAIL_")}
    own.pop("PROVIDER", None)
    return {
        "EMAIL_BACKEND": f"anymail.backends.{name}.EmailBackend",
        "ANYMAIL": {"REQUESTS_TIMEOUT": 10, "DEBUG_API_REQUESTS": False, **own},
    }
