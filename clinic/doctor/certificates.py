"""Check of the TLS certificates of subscribers and webhooks: they are valid, and for some time to come."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clinic import http_client
from clinic.doctor.check import Check, Findings
from clinic.models import EventReceiver, Subscription

VALID_FOR = timedelta(days=14)  # from when on a certificate is named that ends
AT_ONCE = 8


def _certificates(now: datetime) -> Findings:
    sites = _sites()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(_end, sites))
    for site, end in zip(sites, ends, strict=True):
        host = urlsplit(site).netloc
        if isinstance(end, str):
            yield f"{host}: {end}"
        elif end - now < VALID_FOR:
            yield _(
                "%(host)s: the certificate expires on %(day)s. After that, this subscriber gets no notifications."
            ) % {
                "host": host,
                "day": f"{end:%Y-%m-%d}",
            }


def _sites() -> list[str]:
    """Return the sites that are told of visits by https, without the paths of their endpoints."""
    endpoints = [
        *Subscription.objects.filter(status="active", deleted_at=None).values_list("endpoint", flat=True),
        *EventReceiver.objects.filter(plugin="", active=True).values_list("url", flat=True),
    ]
    parts = {urlsplit(endpoint)[:2] for endpoint in endpoints}
    return sorted(f"https://{host}/" for scheme, host in parts if scheme == "https")


def _end(site: str) -> datetime | str:
    """Return when the certificate of a site ends, or why it is not known."""
    try:
        return http_client.certificate_end(site)
    except (http_client.NotAllowed, http_client.Unreachable) as error:
        return str(error)


CHECKS = (Check(gettext_noop("certificates"), _certificates),)
