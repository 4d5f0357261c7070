"""The demo's patients, who cares for them, what pays for their visits and who looks after them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from clinic.fhir.codes import ACT_CODE
from clinic.models import CareTeam, Coverage, DuplicatePair, Patient, PatientNote, Practitioner, RelatedPerson, User
from demo.seed import organization, people

ROLE_CODES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
OWN_INSURANCE = {"coding": [{"system": ACT_CODE, "code": "EHCPOL", "display": "extended healthcare"}]}
COVERAGE_CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"
PLAN = {"type": {"coding": [{"system": COVERAGE_CLASS, "code": "plan"}]}, "value": "standard", "name": "Standard plan"}


def make_patients(users: Mapping[str, User], now: datetime) -> None:
    """Make all patients, in a few statements."""
    rows = [*_signed_in(users, now), _child(now), *_others(now), _double(now)]
    patients = {each.fhir_id: each for each in Patient.objects.bulk_create(rows)}
    others = rows[-_count() - 1 : -1]
    _flags(others, now)
    _pair(patients, others[people.DOUBLE], now)
    _carer(patients, now)
    _invitation(patients, now)
    Coverage.objects.bulk_create([*_named_coverages(patients, now), *_coverages(others, now)])
    CareTeam.objects.bulk_create(_care_teams(patients, others, now))


def _signed_in(users: Mapping[str, User], now: datetime) -> Iterable[Patient]:
    for number, (fhir_id, given, family, gender, born, phone) in enumerate(people.SIGNED_IN_PATIENTS):
        email = f"{fhir_id}@example.com"
        yield Patient(
            fhir_id=fhir_id,
            last_updated=now,
            given=given,
            family=family,
            gender=gender,
            birth_date=date.fromisoformat(born),
            phone=phone,
            email=email,
            user=users[email],
            identity_verified=fhir_id == people.CHECKED,
            identifier=[_record_number(number)],
        )


def _child(now: datetime) -> Patient:
    fhir_id, given, family, gender, born = people.CHILD
    return Patient(
        fhir_id=fhir_id,
        last_updated=now,
        given=given,
        family=family,
        gender=gender,
        birth_date=date.fromisoformat(born),
        identifier=[_record_number(_count() + len(people.SIGNED_IN_PATIENTS))],
    )


def _others(now: datetime) -> Iterable[Patient]:
    for number in range(_count()):
        given, gender = people.GIVEN[number % len(people.GIVEN)]
        family = people.FAMILY[(number + number // len(people.GIVEN)) % len(people.FAMILY)]
        fhir_id = f"{given}-{family}".lower()
        yield Patient(
            fhir_id=fhir_id,
            last_updated=now,
            given=given,
            family=family,
            gender=gender,
            birth_date=date(1936 + number * 29 % 72, 1 + number * 7 % 12, 1 + number * 11 % 28),
            phone=f"({212 if number % 3 else 213}) 555-{1000 + number:04}",
            email=f"{fhir_id}@example.com",
            language=_language(number),
            returning=number % people.IN_CARE == 0,
            interpreter_required=number % people.SPANISH == 0,
            interpreter_language="" if number % people.SPANISH else "es",
            needs=[] if number % people.STEP_FREE else ["step-free"],
            identifier=[_record_number(len(people.SIGNED_IN_PATIENTS) + number)],
        )


def _double(now: datetime) -> Patient:
    """A second record of one of the others, registered by phone with a misspelt name."""
    first = list(_others(now))[people.DOUBLE]
    return Patient(
        fhir_id=f"{first.fhir_id}-again",
        last_updated=now,
        given=first.given,
        family=first.family[:-2] + first.family[-1],
        birth_date=first.birth_date,
        phone=first.phone,
    )


def _pair(patients: Mapping[str, Patient], first: Patient, now: datetime) -> None:
    """The pair that the worker would find for `_double`."""
    reason = DuplicatePair.Reason
    DuplicatePair.objects.create(
        first=first,
        second=patients[f"{first.fhir_id}-again"],
        score=100,
        reasons=[reason.NAME, reason.BIRTH_DATE, reason.CONTACT],
        found=now,
    )


def _flags(others: Sequence[Patient], now: datetime) -> None:
    """Write the staff's notes and flags of two patients: one is a VIP, one is barred from online booking."""
    vip, barred = others[1], others[2]
    Patient.objects.filter(pk=vip.pk).update(vip=True)
    Patient.objects.filter(pk=barred.pk).update(barred_online=True, barred_reason="Missed five visits in a year.")
    PatientNote.objects.bulk_create(
        [
            PatientNote(patient=vip, text="Comes in by the side door. Offer coffee.", written=now),
            PatientNote(patient=barred, text="Asked to call before each visit. Agreed by phone.", written=now),
        ]
    )


def _language(number: int) -> str:
    """Return the language that a patient reads, or "" for the clinic's."""
    return "es" if not number % people.SPANISH else "de" if not number % people.GERMAN else ""


def _count() -> int:
    return len(people.GIVEN) * people.FAMILIES_EACH


def _carer(patients: Mapping[str, Patient], now: datetime) -> None:
    """A parent, who signs in as the patient they are themselves."""
    carer, code, word = people.CARER
    person, child = patients[carer], patients[people.CHILD[0]]
    RelatedPerson.objects.create(
        fhir_id=f"{carer}-for-{child.fhir_id}",
        last_updated=now,
        patient=child,
        user=person.user,
        relationship=[organization.concept(ROLE_CODES, code, word)],
        given=person.given,
        family=person.family,
        gender=person.gender,
        phone=person.phone,
        email=person.email,
    )


def _invitation(patients: Mapping[str, Patient], now: datetime) -> None:
    """A carer whom a patient has invited, and who has not answered yet."""
    patient, address = people.INVITATION
    RelatedPerson.objects.create(
        fhir_id=f"invited-by-{patient}",
        last_updated=now,
        patient=patients[patient],
        active=False,
        invited=now,
        email=address,
        access=RelatedPerson.Access.VISITS,
    )


def _named_coverages(patients: Mapping[str, Patient], now: datetime) -> Iterable[Coverage]:
    for patient, payor, member, until in people.COVERAGES:
        end = {"next year": _end_of_next_year(now), "run out": now.date() - timedelta(days=40)}[until]
        yield _coverage(patients[patient], payor, member, end, now)


def _coverages(patients: Sequence[Patient], now: datetime) -> Iterable[Coverage]:
    for number, patient in enumerate(patients):
        if number % people.UNINSURED:
            payor = people.PAYORS[number % len(people.PAYORS)]
            coverage = _coverage(patient, payor, f"M-{20000 + number * 37}", _end_of_next_year(now), now)
            if number % people.UNCHECKED:
                coverage.verification, coverage.verified_at = Coverage.Verification.VERIFIED, now
            yield coverage


def _coverage(patient: Patient, payor: str, member: str, end: date, now: datetime) -> Coverage:
    return Coverage(
        fhir_id=f"coverage-{patient.fhir_id}",
        last_updated=now,
        beneficiary=patient,
        type=OWN_INSURANCE,
        payor=[{"display": payor}],
        subscriber_id=member,
        extra={"class": [PLAN]},
        start=date(end.year - 2, 1, 1),
        end=end,
    )


def _end_of_next_year(now: datetime) -> date:
    return date(now.year + 1, 12, 31)


def _care_teams(patients: Mapping[str, Patient], others: Sequence[Patient], now: datetime) -> Iterable[CareTeam]:
    members = {each.fhir_id: {"reference": each.reference, "display": str(each)} for each in Practitioner.objects.all()}
    _, usual, (first, *_) = people.CARE_TEAMS[0]
    named = [(patients[patient], name, team) for patient, name, team in people.CARE_TEAMS]
    for patient, name, team in [*named, *((each, usual, (first,)) for each in others[:: people.IN_CARE])]:
        yield CareTeam(
            fhir_id=f"care-team-{patient.fhir_id}",
            last_updated=now,
            name=name,
            patient=patient,
            participant=[{"member": members[each]} for each in team],
        )


def _record_number(number: int) -> organization.Json:
    return {"system": f"{organization.IDENTIFIERS}/record", "value": f"R-{10001 + number}"}
