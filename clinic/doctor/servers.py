"""Checks of the settings, and of the servers that the clinic needs."""

from contextlib import suppress
from datetime import datetime, timedelta

import redis
from celery import current_app
from django.conf import settings
from django.core import checks, mail
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clinic import replica
from clinic.doctor.check import Check, Findings
from clinic.health import NotMigrated, check_migrations, redis_client

OLDEST_POSTGRESQL = 15
CLOCKS_APART = timedelta(seconds=2)
WORKER_ANSWERS = 3.0  # seconds
TEXT_SERVICE_ANSWERS = 10.0


def _settings(now: datetime) -> Findings:
    for message in checks.run_checks(include_deployment_checks=True):
        if not message.is_silenced() and message.level >= checks.WARNING:
            yield f"{message.id}: {message.msg}"


def _postgresql(now: datetime) -> Findings:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        [version] = cursor.fetchone()
    if version < OLDEST_POSTGRESQL:
        yield _("PostgreSQL %(version)d is too old: %(oldest)d or later is needed.") % {
            "version": version,
            "oldest": OLDEST_POSTGRESQL,
        }
    try:
        check_migrations()
    except NotMigrated:
        yield _("Not all migrations have been applied: run manage.py migrate.")


def _replica(now: datetime) -> Findings:
    if replica.is_configured() and not replica.is_current():
        yield _("DATABASE_REPLICA_URL names no replica, or one that is more than %(seconds)d seconds behind.") % {
            "seconds": settings.DATABASE_REPLICA_LAG_SECONDS
        }


def _clocks(now: datetime) -> Findings:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [clock] = cursor.fetchone()
    yield from _apart("PostgreSQL", clock - now)
    with suppress(redis.RedisError), redis_client() as client:  # the check of Redis says that it does not answer
        seconds, microseconds = client.time()
        yield from _apart("Redis", datetime.fromtimestamp(seconds, now.tzinfo) - now + timedelta(0, 0, microseconds))


def _apart(server: str, difference: timedelta) -> Findings:
    if abs(difference) > CLOCKS_APART:
        yield _("The clocks of this machine and of %(server)s are %(seconds)d seconds apart: run NTP on both.") % {
            "server": server,
            "seconds": round(abs(difference).total_seconds()),
        }


def _redis(now: datetime) -> Findings:
    try:
        with redis_client() as client:
            client.ping()
    except redis.RedisError as error:
        yield _("Redis does not answer at REDIS_URL: %(error)s.") % {"error": type(error).__name__}


def _worker(now: datetime) -> Findings:
    if not current_app.control.ping(timeout=WORKER_ANSWERS, limit=1):
        yield _("No worker answers: start one with celery -A clinic worker. No message is sent without it.")


def _text_service(now: datetime) -> Findings:
    if not settings.SMS_URL:
        return
    import httpx  # not imported where no text is sent

    try:
        status = httpx.head(settings.SMS_URL, timeout=TEXT_SERVICE_ANSWERS).status_code
    except httpx.HTTPError as error:
        yield _("The text service does not answer at SMS_URL: %(error)s.") % {"error": type(error).__name__}
        return
    if status in (401, 403):
        yield _("The text service refuses the user and password in SMS_URL (%(status)d).") % {"status": status}
    elif status >= 500:
        yield _("The text service is out of order: it answers %(status)d.") % {"status": status}


def _mail_server(now: datetime) -> Findings:
    try:
        backend = mail.get_connection()
        backend.open()
        backend.close()
    except OSError as error:  # smtplib's errors are such
        yield _("The mail server does not answer or refuses the sign-in: %(error)s.") % {"error": type(error).__name__}


CHECKS = (
    Check(gettext_noop("settings"), _settings),
    Check("PostgreSQL", _postgresql),
    Check(gettext_noop("replica"), _replica),
    Check(gettext_noop("clocks"), _clocks),
    Check("Redis", _redis),
    Check(gettext_noop("worker"), _worker),
    Check(gettext_noop("mail server"), _mail_server),
    Check(gettext_noop("text service"), _text_service),
)
