"""One record for each person, matched by name, birth date and contact, however they are written."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from clinic.models import Patient
from portal.booking import guests
from portal.booking.guests import GuestDetails
from scheduling.interactions import patient_matching, registration
from tests.factories import PatientFactory

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)
BORN = date(1990, 4, 3)
JOSE = {"given": "José", "family": "Núñez O\u2019Hara", "birth_date": BORN, "email": "jose@example.com"}


def test_matching_patients(settings):
    settings.CLINIC_COUNTRY = "US"
    known = patient_matching.person_from({**JOSE, "phone": "+1 212 555 0123", "gender": "male"})
    cases = [
        ({"given": "Jose", "family": "Nunez O'Hara", "birth_date": BORN, "email": "JOSE@example.com"}, True),
        ({"given": "JOSE", "family": "Núñez-Ohara", "birth_date": BORN, "phone": "(212) 555-0123"}, True),
        ({"given": "Jose", "family": "Nunez O'Hara", "birth_date": BORN, "phone": "212 555 0199"}, False),
        ({"given": "Jose", "family": "Nunez O'Hara", "birth_date": BORN}, False),
        ({"given": "Jose", "family": "Nunez O'Hara", "email": "jose@example.com"}, False),
        ({"given": "Luis", "family": "Nunez O'Hara", "birth_date": BORN, "email": "jose@example.com"}, False),
        ({**JOSE, "birth_date": date(1991, 4, 3)}, False),
        ({**JOSE, "gender": "female"}, False),
        ({**JOSE, "gender": "male"}, True),
    ]
    assert [patient_matching.person_from(other).is_same(known) for other, _ in cases] == [same for _, same in cases]


@pytest.mark.django_db
def test_a_guest_with_the_same_proven_address_gets_the_same_record():
    born = BORN.isoformat()
    first = guests.record_of(GuestDetails("José", "Núñez O\u2019Hara", born, "jose@example.com"), now=NOW)
    again = guests.record_of(GuestDetails("Jose", "Nunez O'Hara", born, "Jose@Example.com", "+12125550123"), now=NOW)
    assert again == first
    assert (again.given, again.phone) == ("José", "+12125550123")
    twin = guests.record_of(GuestDetails("Luis", "Núñez O\u2019Hara", born, "jose@example.com"), now=NOW)
    assert twin != first
    other = guests.record_of(GuestDetails("Jose", "Nunez O'Hara", born, "other@example.com"), now=NOW)
    assert other != first


@pytest.mark.django_db
def test_a_guest_of_one_name_whose_birthday_is_not_known_gets_the_same_record_too():
    def record(given, family, born, email="suharto@example.com"):
        return guests.record_of(GuestDetails(given, family, born, email), now=NOW)

    first = record("Suharto", "", "1985")
    assert (first.birth_date, first.born, str(first)) == (None, "1985", "Suharto")
    assert record("", "Suharto", "1985", "Suharto@example.com") == first
    others = [record("Suharto", "", "1985-03"), record("Suharto", "", ""), record("Suharto", "", "1986")]
    assert len({first, *others}) == 4
    assert record("Suharto", "", "") == others[1]
    assert record("Suharto", "", "1985", "other@example.com") != first
    assert record("Suharto", "Suharto", "1985") != first


@pytest.mark.django_db
def test_the_desk_is_asked_about_the_same_name_and_birth_date_or_address():
    rows = Patient.objects.all()
    known = PatientFactory(**JOSE, phone="+1 212 555 0123")
    typed = {"given": "Jose", "family": "Nunez Ohara", "birth_date": BORN, "phone": "", "email": ""}
    assert registration.similar_patients(typed, rows) == [known]
    assert registration.similar_patients({**typed, "birth_date": date(1991, 4, 3)}, rows) == []
    assert registration.similar_patients({**typed, "birth_date": None, "phone": "2125550123"}, rows) == [known]
    assert registration.similar_patients({**typed, "given": "Nunez Ohara", "family": "José"}, rows) == [known]
    assert registration.similar_patients({**typed, "given": "", "family": ""}, rows) == []


@pytest.mark.django_db(transaction=True)
def test_two_at_once_create_one():
    def register(given):
        try:
            return registration.find_or_register({**JOSE, "given": given}, Patient.objects.all(), now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(register, ["José", "Jose", "JOSE", "jose"]))
    assert len({patient.pk for patient, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1
