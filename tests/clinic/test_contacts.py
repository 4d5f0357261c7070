"""The choice of a person's current name, phone number and email address, as tables of cases."""

from datetime import UTC, datetime, timedelta

import pytest

from clinic import contacts_renewal, people_search
from clinic.fhir import contacts
from clinic.fhir.contacts import PersonName
from clinic.fhir.resources import RESOURCES, References, to_fhir
from clinic.models import Patient
from scheduling.notifications.audience import audience_of
from tests.factories import AppointmentFactory

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)
OVER = {"end": "2026-05-14"}
LAST_DAY = {"end": "2026-05-15"}
LATER = {"start": "2026-05-16"}
SINCE = {"start": "2026-05-15"}


def phone(value, **more):
    return {"system": "phone", "value": value, **more}


def sms(value, **more):
    return {"system": "sms", "value": value, **more}


def email(value, **more):
    return {"system": "email", "value": value, **more}


POINTS = [
    # telecom as sent, phone for calls, phone for texts, email
    ([], "", "", ""),
    ([phone("1")], "1", "1", ""),
    ([phone("1"), phone("2")], "1", "1", ""),
    ([phone("1", use="old"), phone("2")], "2", "2", ""),
    ([phone("1", use="old")], "", "", ""),
    ([phone("1", period=OVER), phone("2")], "2", "2", ""),
    ([phone("1", period=LAST_DAY), phone("2")], "1", "1", ""),
    ([phone("1", period=LATER), phone("2")], "2", "2", ""),
    ([phone("1", period=SINCE)], "1", "1", ""),
    ([phone("1", rank=2), phone("2", rank=1)], "2", "2", ""),
    ([phone("1"), phone("2", rank=3)], "2", "2", ""),
    ([phone("1", use="work"), phone("2", use="home"), phone("3", use="mobile")], "3", "3", ""),
    ([phone("1", use="work"), phone("2", use="home")], "2", "2", ""),
    ([phone("1", use="work"), phone("2")], "2", "2", ""),
    ([phone("1", use="home", rank=1), phone("2", use="mobile", rank=2)], "1", "2", ""),
    ([phone("1", use="mobile", rank=2), phone("2", use="old", rank=1)], "1", "1", ""),
    ([phone("1"), sms("2")], "1", "2", ""),
    ([sms("2")], "2", "2", ""),
    ([sms("2", use="old"), phone("1")], "1", "1", ""),
    ([phone("1", use="temp"), phone("2", use="work")], "1", "1", ""),
    ([{"system": "fax", "value": "9"}, {"system": "pager", "value": "8"}], "", "", ""),
    ([{"system": "phone", "use": "mobile"}, phone("2")], "2", "2", ""),
    ([email("a@x.org", use="work"), email("b@x.org", use="home")], "", "", "b@x.org"),
    ([email("a@x.org", use="work", period=OVER), email("b@x.org")], "", "", "b@x.org"),
    ([email("a@x.org", use="old"), email("b@x.org", use="work")], "", "", "b@x.org"),
    ([email("a@x.org", use="work", rank=1), email("b@x.org", use="home", rank=2)], "", "", "a@x.org"),
    ([email("nowhere"), email("b@x.org")], "", "", "b@x.org"),
    ([email("nowhere")], "", "", ""),
]
NAMES = [
    ([], PersonName()),
    ([{"family": "Quinn", "given": ["Ada"]}], PersonName("Quinn", "Ada")),
    (
        [{"family": "Quinn", "given": ["Ada", "Maria"], "prefix": ["Dr."], "suffix": ["Jr."]}],
        PersonName("Quinn", "Ada Maria", "Dr."),
    ),
    ([{"use": "maiden", "family": "Birth"}, {"use": "official", "family": "Quinn"}], PersonName("Quinn")),
    (
        [{"use": "official", "family": "Quinn"}, {"use": "usual", "given": ["Jane"]}],
        PersonName("", "Jane"),
    ),
    ([{"use": "nickname", "given": ["Addy"]}, {"use": "official", "family": "Quinn"}], PersonName("Quinn")),
    ([{"use": "nickname", "given": ["Addy"]}, {"family": "Quinn"}], PersonName("Quinn")),
    ([{"use": "old", "family": "Before"}, {"family": "Quinn"}], PersonName("Quinn")),
    ([{"use": "anonymous", "family": "Doe"}, {"use": "temp", "family": "Baby"}], PersonName("Baby")),
    ([{"use": "usual", "family": "Past", "period": OVER}, {"use": "official", "family": "Quinn"}], PersonName("Quinn")),
    (
        [{"use": "usual", "family": "Soon", "period": LATER}, {"use": "official", "family": "Quinn"}],
        PersonName("Quinn"),
    ),
    ([{"use": "maiden", "family": "Only"}], PersonName("Only")),
    ([{"text": "Case Text"}], PersonName("Case Text")),
    ([{"use": "official", "text": "Case Text", "prefix": ["Dr."]}], PersonName("Case Text", "", "Dr.")),
    ([{"family": "Quinn", "text": "Quinn, Ada"}], PersonName("Quinn")),
    ([{"given": ["Suharto"]}], PersonName("", "Suharto")),
    ([{"family": "Suharto"}], PersonName("Suharto")),
    ([{"use": "official"}, {"use": "usual", "family": "Quinn"}], PersonName("Quinn")),
]


@pytest.mark.parametrize(("sent", "called", "texted", "written"), POINTS)
def test_addresses(sent, called, texted, written):
    assert contacts.phone_of(sent, NOW) == called
    assert contacts.texts_of(sent, NOW) == texted
    assert contacts.email_of(sent, NOW) == written


@pytest.mark.parametrize(("sent", "name"), NAMES)
def test_names(sent, name):
    assert contacts.name_of(sent, NOW) == name


def patient_of(resource):
    known = References()
    known.now = NOW
    draft = RESOURCES["Patient"].from_fhir({"resourceType": "Patient", **resource}, known)
    return Patient(last_updated=NOW, **draft.fields)


@pytest.mark.parametrize(
    "resource",
    [
        *({"telecom": sent} for sent, *_ in POINTS if sent),
        *({"name": sent} for sent, _ in NAMES if sent),
    ],
)
def test_nothing_that_was_sent_is_lost(resource):
    back = to_fhir(patient_of(resource))
    assert {name: back.get(name) for name in resource} == resource


@pytest.mark.parametrize(
    ("sent", "column", "value", "text"),
    [
        (
            {"name": [{"use": "maiden", "family": "Birth"}, {"use": "official", "family": "Quinn", "given": ["A"]}]},
            "family",
            "Quill",
            {"name": [{"use": "maiden", "family": "Birth"}, {"use": "official", "family": "Quill", "given": ["A"]}]},
        ),
        ({"name": [{"text": "Case Text"}]}, "family", "Case", {"name": [{"family": "Case"}]}),
        (
            {"telecom": [phone("1", use="home"), phone("2", use="mobile")]},
            "phone",
            "3",
            {"telecom": [phone("1", use="home"), phone("3", use="mobile")]},
        ),
        (
            {"telecom": [phone("1", use="old"), phone("2", period=OVER)]},
            "phone",
            "3",
            {"telecom": [phone("1", use="old"), phone("2", period=OVER), phone("3")]},
        ),
        ({"telecom": [sms("1")]}, "phone", "3", {"telecom": [sms("3")]}),
        (
            {"telecom": [email("a@x.org", use="old"), email("b@x.org", use="work")]},
            "email",
            "",
            {"telecom": [email("a@x.org", use="old"), {"system": "email", "use": "work"}]},
        ),
    ],
)
def test_a_value_written_on_a_page_replaces_the_current_one(sent, column, value, text):
    row = patient_of(sent)
    setattr(row, column, value)
    back = to_fhir(row)
    assert {name: back.get(name) for name in text} == text


LANGUAGES = [
    ([("es", None)], "es"),
    ([("es", False)], "es"),
    ([("es", None), ("en", True)], "en"),
    ([("fr", None), ("es-MX", None), ("en", None)], "es-MX"),
    ([("fr", None)], "fr"),
    ([("fr", None), ("pt", None)], ""),
    ([], ""),
]


@pytest.mark.parametrize(("sent", "language"), LANGUAGES)
def test_languages(sent, language):
    communication = [
        {
            "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]},
            **({} if preferred is None else {"preferred": preferred}),
        }
        for code, preferred in sent
    ]
    row = patient_of({"communication": communication} if communication else {})
    assert row.language == language
    assert to_fhir(row).get("communication", []) == communication
    row.language = "en"
    assert patient_of(to_fhir(row) | {"id": "p"}).language == "en"


@pytest.mark.django_db
def test_messages_go_to_the_addresses_that_count_when_they_are_sent(settings):
    settings.SMS_ENABLED = True
    telecom = [
        email("old@work.example", use="work", period={"end": "2026-05-15"}),
        email("new@work.example", use="work", period={"start": "2026-05-16"}),
        phone("+1 212 555 0101", use="mobile", period={"end": "2026-05-15"}),
        phone("+1 212 555 0102", use="home"),
    ]
    row = patient_of({"telecom": telecom, "name": [{"text": "Case Text"}]})
    row.save()
    visit = AppointmentFactory(patient=row, start=NOW + timedelta(days=9), end=NOW + timedelta(days=9, hours=1))
    before, after = (audience_of(visit, now=moment) for moment in (NOW, NOW + timedelta(days=1)))
    assert (before.emails, before.phones) == (("old@work.example",), ("+1 212 555 0101",))
    assert (after.emails, after.phones) == (("new@work.example",), ("+1 212 555 0102",))
    row.email = "page@example.com"
    row.save()
    assert audience_of(visit, now=NOW).emails == ("page@example.com",)


@pytest.mark.django_db
def test_columns_follow_the_periods_and_the_resource_stays_as_it_was_sent():
    names = [
        {"use": "usual", "family": "Before", "period": {"end": "2026-05-15"}},
        {"use": "official", "family": "Quinn"},
    ]
    row = patient_of({"name": names, "telecom": [email("a@x.org", period={"end": "2026-05-15"})]})
    row.save()
    assert contacts_renewal.renew(now=NOW) == 0
    assert contacts_renewal.renew(now=NOW + timedelta(days=1)) == 1
    row.refresh_from_db()
    assert (str(row), row.email, row.version) == ("Quinn", "", 1)
    assert to_fhir(row)["name"] == names
    assert to_fhir(row)["telecom"] == [email("a@x.org", period={"end": "2026-05-15"})]
    assert [each.pk for each in people_search.find(Patient.objects.all(), "before")] == [row.pk]
