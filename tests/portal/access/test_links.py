"""The links and forms on the pages of each role of staff: none leads to a refusal.

The walk begins at the pages that everybody reads, follows every link once for each kind of page, and presses the button
of every form that it comes to. What is posted is undone.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve
from lxml import html

from clinic.models import StaffRole, User
from scheduling import errors
from scheduling.access import Role
from tests.factories import LocationFactory, UserFactory
from tests.portal.access.addresses import requests
from tests.portal.access.table import ADAS, OPEN, OWN, REFERRER, SECRET, TABLE

pytestmark = pytest.mark.django_db

REFUSED = (403, 404)
READ = {
    *("board", "agenda", "week", "worklist", "waiting-list", "waiting-list-gaps", "staff-visit", "staff-patient"),
    *("staff-absences", "staff-absence", "staff-messages", "staff-message", "staff-notices", "staff-patients"),
    *("hours", "checklist", "staff-check-in", "questionnaire-preview"),
}
NOT_OF_STAFF = (ADAS, OPEN, OWN, REFERRER, SECRET)
ELSEWHERE_TOO = "a front desk that reads all sites"
ONE_SITE = "who reads one site"
BILLING_OF_ONE_SITE = "billing of one site"
OF_ALL_KINDS = "a practitioner who reads all calendars"
WHO = [*Role, ELSEWHERE_TOO, ONE_SITE, BILLING_OF_ONE_SITE, OF_ALL_KINDS]


class Sent(NamedTuple):
    """A request that a page invites to: a link (`data` is None) or a form."""

    address: str
    data: dict[str, str] | None = None
    words: str = ""

    @property
    def name(self) -> str:
        """The name of the address in the table of addresses; empty if it is none of the pages of staff."""
        try:
            name = resolve(urlsplit(self.address).path).url_name or ""
        except Resolver404:
            return ""
        return name if name in TABLE and TABLE[name].whose not in NOT_OF_STAFF else ""

    @property
    def kind(self) -> tuple[Any, ...]:
        """Requests of one kind are sent once."""
        query = sorted(key for key, _value in parse_qsl(urlsplit(self.address).query))
        return self.name, *query, *(() if self.data is None else ("POST", self.words, *sorted(self.data)))


def account(who: str, site: Any, chen: Any) -> User:
    """An account with the role, of this site or calendar where it has bounds."""
    roles: dict[str, dict[str, Any]] = {
        ELSEWHERE_TOO: {"role": "reader"},
        ONE_SITE: {"role": "reader", "site": site},
        BILLING_OF_ONE_SITE: {"role": "billing", "site": site},
        OF_ALL_KINDS: {"role": "reader"},
        Role.ASSISTANT: {"role": "assistant", "practitioner": chen},
    }
    match who:
        case Role.ADMINISTRATOR:
            return UserFactory(is_superuser=True, is_staff=True)
        case Role.FRONT_DESK:
            return UserFactory(desk_locations=[site])
        case Role.PRACTITIONER:
            return chen.user
    user = UserFactory(desk_locations=[LocationFactory()]) if who == ELSEWHERE_TOO else UserFactory()
    user = chen.user if who == OF_ALL_KINDS else user
    StaffRole.objects.create(user=user, **roles.get(who, {"role": str(who)}))
    return user


def shown_on(page: str, content: bytes) -> Iterator[Sent]:
    """Yield the links and the forms of a page."""
    if not content.strip():
        return
    root = html.fromstring(content)
    for link in root.xpath("//a[@href]"):
        yield Sent(urljoin(page, link.get("href")).partition("#")[0], words=" ".join(link.text_content().split()))
    for attribute in ("hx-get", "data-src"):
        for part in root.xpath(f"//*[@{attribute}]"):
            yield Sent(urljoin(page, part.get(attribute)))
    for form in root.xpath("//form"):
        buttons = form.xpath(".//button[not(@type='button') and not(@disabled)]")
        method = (form.get("method") or "get").lower()
        if method == "dialog" or not buttons:
            continue
        for button in buttons:
            where = urljoin(page, button.get("formaction") or form.get("action") or page)
            values = dict(fields_of(form))
            if button.get("name"):
                values[button.get("name")] = button.get("value") or ""
            words = " ".join(button.text_content().split())
            if (button.get("formmethod") or method).lower() == "post":
                yield Sent(where, values, words)
            else:
                yield Sent(where, words=words)


def fields_of(form: Any) -> Iterator[tuple[str, str]]:
    """Yield a value for each field of a form, as somebody might leave it."""
    for field in form.xpath(".//input[@name] | .//select[@name] | .//textarea[@name]"):
        kind = (field.get("type") or field.tag).lower()
        if kind in ("submit", "button", "file", "image") or (kind in ("radio", "checkbox") and not field.checked):
            continue
        yield field.get("name"), str(field.value or "" if kind != "textarea" else field.text or "")


@contextmanager
def undone() -> Iterator[None]:
    """A transaction that is rolled back. Use cases take it for the one of the test, within which they begin theirs."""
    outer = transaction.atomic()
    outer._from_testcase = True
    with outer:
        yield
        transaction.set_rollback(True)


class Walk:
    """A walk of one account over all pages: what was refused although a page had shown it."""

    def __init__(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = client
        self.refused: list[str] = []
        self.forbidden: list[str] = []
        known = errors.Forbidden.__init__

        def noted(error: errors.Forbidden, *args: Any, **named: Any) -> None:
            known(error, *args, **named)
            self.forbidden.append(str(error))

        monkeypatch.setattr(errors.Forbidden, "__init__", noted)

    def begin(self, addresses: Iterator[str]) -> None:
        todo: deque[tuple[str, Sent]] = deque(("", Sent(address)) for address in addresses)
        seen = set()
        while todo:
            origin, sent = todo.popleft()
            if not sent.name or sent.kind in seen:
                continue
            if origin:
                seen.add(sent.kind)
            todo.extend((sent.name, each) for each in self.send(origin, sent))

    def send(self, origin: str, sent: Sent) -> list[Sent]:
        """Send a request, undo it, and return what its page shows."""
        self.forbidden.clear()
        if sent.data is None:
            response = self.client.get(sent.address)
        else:
            with undone():
                response = self.client.post(sent.address, sent.data)
        assert response.status_code < 500, (sent, response.status_code)
        told = {str(message) for message in getattr(response.wsgi_request, "_messages", ())._queued_messages}
        forbidden = told.intersection(self.forbidden)
        if origin and (response.status_code in REFUSED or forbidden):
            why = ", ".join(forbidden) or response.status_code
            self.refused.append(f"{origin}: {sent.words!r} leads to {sent.name}: {why}")
        is_page = response.status_code == 200 and response["Content-Type"].startswith("text/html")
        content = response.getvalue()  # a file too is read to its end, which closes it
        return list(shown_on(sent.address, content)) if is_page else []


@pytest.mark.parametrize("who", WHO)
def test_nothing_is_shown_that_is_refused(client, clinic, site, chen, who, monkeypatch):
    client.force_login(account(who, site, chen))
    walk = Walk(client, monkeypatch)
    walk.begin(address for name, _row, address, posted in requests(clinic) if posted is None and name in READ)
    if walk.refused:
        pytest.fail("\n".join(sorted(set(walk.refused))))
