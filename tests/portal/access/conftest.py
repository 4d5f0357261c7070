"""Rows about Ada of every kind that an address can name."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from scheduling import questionnaires
from scheduling.notifications import links
from tests.factories import (
    AbsenceFactory,
    AppointmentFactory,
    CalendarFeedFactory,
    CommunicationFactory,
    CoverageFactory,
    DuplicatePairFactory,
    ImportFileFactory,
    LaunchFactory,
    MessagePreferencesFactory,
    PatientNoteFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    StaffMessageFactory,
    UserFactory,
)


@pytest.fixture
def clinic(ada, bo, checkup, schedule, site, ten) -> dict[str, Any]:
    """Return rows about Ada of every kind, by the names of the addresses' parameters."""
    form = QuestionnaireFactory(item=[{"linkId": "1", "type": "attachment", "text": "A photograph"}])
    checkup.questionnaires.add(form)
    letter = questionnaires.file_entry(b"%PDF-1.7", "application/pdf", "letter.pdf")
    end, half_an_hour, tomorrow = ten + timedelta(minutes=30), timedelta(minutes=30), ten - timedelta(days=1)
    of_ada = {"patient": ada, "service": checkup, "site": site, "schedules": [schedule]}
    visit = AppointmentFactory(**of_ada, start=ten, end=end, comment="Quinn's own words")
    held = AppointmentFactory(
        **of_ada, start=end, end=end + half_an_hour, status="pending", hold_expires_at=timezone.now() + half_an_hour
    )
    answers = QuestionnaireResponseFactory(
        appointment=visit, questionnaire=form, item=[{"linkId": "1", "answer": [{"valueAttachment": letter}]}]
    )
    message = CommunicationFactory(appointment=visit, medium="in-app", status="completed", sent=timezone.now())
    failed = CommunicationFactory(appointment=visit, status="not-done", attempts=5, occasion="0")
    CoverageFactory(beneficiary=ada)
    MessagePreferencesFactory(patient=ada)
    related = RelatedPersonFactory(user=ada.user, patient__family="Quinn")
    extra = SlotFactory(schedule=schedule, status="free", start=tomorrow, end=tomorrow + half_an_hour)
    block = SlotFactory(
        schedule=schedule,
        status="busy-unavailable",
        comment="Quinn",
        start=end + half_an_hour,
        end=end + 2 * half_an_hour,
    )
    only_here = ServiceFactory()
    ScheduleFactory(actor=schedule.actor, services=[only_here], site=site)
    entry = AppointmentFactory(patient=ada, service=only_here, status="waitlist", start=None)
    return {
        "only_here": only_here.fhir_id,
        "absence_id": AbsenceFactory(bookable=schedule.bookable, start=ten, end=end).pk,
        "kind_of_report": "visits",
        "note_id": StaffMessageFactory(created_by=UserFactory(), first=ten.date(), subject="Quinn").pk,
        "entry_id": entry.fhir_id,
        "appointment_id": visit.fhir_id,
        "held": held.fhir_id,
        "suggestion_id": held.fhir_id,
        "response_id": answers.fhir_id,
        "digest": questionnaires.hash_in_address(letter["hash"]),
        "questionnaire_id": form.fhir_id,
        "message_id": message.fhir_id,
        "feed_id": CalendarFeedFactory(patient=ada).pk,
        "client_id": LaunchFactory(user=ada.user, patient=ada).application.client_id,
        "work_kind": "failure",
        "row": failed.pk,
        "related_id": related.fhir_id,
        "patient_id": ada.fhir_id,
        "coverage_id": CoverageFactory(beneficiary=ada).fhir_id,
        "account_id": schedule.actor.user_id,
        "account_session": UserSession.objects.create(user=ada.user, ip="192.0.2.1", session_key="adas").pk,
        "side": "front",
        "change_id": 0,
        "pair_id": DuplicatePairFactory(first=ada, second=bo).pk,
        "other_id": bo.fhir_id,
        "patient_note": PatientNoteFactory(patient=ada, text="Quinn pays late").pk,
        "file_id": ImportFileFactory().pk,
        "service_id": checkup.fhir_id,
        "schedule_id": schedule.fhir_id,
        "start": f"{ten:%Y-%m-%dT%H:%M}",
        "practitioner_id": schedule.actor.fhir_id,
        "site_id": site.fhir_id,
        "slot_id": block.fhir_id,
        "recall_id": RecallFactory(appointment=visit, patient=ada).fhir_id,
        "referral_id": ReferralFactory(patient=ada, service=ServiceFactory(), referred_by=ada.user).fhir_id,
        "extra": extra.fhir_id,
        "who": "me",
        "number": 1,
        "token": links.manage_link(visit).split("/")[-2][:-1] + "_",
        "secret": "guessed",
        "name": "guessed",
        "reference": uuid4(),
    }
