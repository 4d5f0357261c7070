"""Stored answers, and the patient they are about."""

import pytest

from clinic.models import Appointment, AuditEvent
from scheduling import booking, questionnaire_answers
from scheduling.errors import RuleBroken
from tests.factories import PatientFactory, QuestionnaireResponseFactory, RelatedPersonFactory
from tests.scheduling.questionnaires.sheets import NOW, ZONE, answer


def test_answers_are_in_progress_until_they_are_completed(held, caller, ada):
    started = answer(held, caller, pain="No")
    assert (started.status, started.patient, started.authored) == ("in-progress", ada, None)
    assert answer(held, caller, pain="No", done=True).status == "in-progress"
    done = answer(held, caller, pain="No", b="x", done=True)
    assert (done.pk, done.status, done.authored, done.version) == (started.pk, "completed", NOW, 2)


def test_late_answers_are_not_kept(held, caller):
    answer(held, caller, pain="No", b="old")
    answer(held, caller, pain="No", b="new", done=True)
    stale = answer(held, caller, pain="No", b="old", version=1)
    assert (stale.status, stale.item[1]["answer"]) == ("completed", [{"valueString": "new"}])


def test_answers_are_of_whom_the_visit_is_for_by_now(held, caller):
    leo = PatientFactory()
    RelatedPersonFactory(patient=leo, user=caller.user)
    Appointment.objects.filter(pk=held.pk).update(patient=leo)  # after `held` was read
    assert answer(held, caller, pain="No").patient == leo


def test_an_alarm_stops_until_the_answer_is_changed_and_cannot_be_booked(held, caller):
    assert answer(held, caller, pain="Yes").status == "stopped"
    with pytest.raises(RuleBroken, match="Call 911 now"):
        booking.confirm(held.fhir_id, caller=caller, now=NOW)
    assert answer(held, caller, pain="No", b="x", done=True).status == "completed"
    assert booking.confirm(held.fhir_id, caller=caller, now=NOW).status == "booked"


def test_an_alarm_stops_where_questions_are_optional_too(held, caller, service):
    service.requires_questionnaires = False
    service.save()
    answer(held, caller, pain="Yes")
    with pytest.raises(RuleBroken, match="Call 911 now"):
        booking.confirm(held.fhir_id, caller=caller, now=NOW)


@pytest.mark.parametrize(
    "given",
    [
        [],
        [{"linkId": "pain", "answer": [{"valueString": "No"}]}],
        [{"linkId": "pain", "answer": [{"valueString": "Perhaps"}]}, {"linkId": "b", "answer": [{"valueString": "x"}]}],
        [{"linkId": "pain", "answer": [{"valueString": "Yes"}]}, {"linkId": "b", "answer": [{"valueString": "x"}]}],
    ],
)
@pytest.mark.parametrize("attached", [True, False])
def test_software_that_says_completed_is_judged_like_everybody(held, caller, form_row, ada, given, attached):
    QuestionnaireResponseFactory(
        questionnaire=form_row, appointment=held if attached else None, patient=ada, item=given
    )
    with pytest.raises(RuleBroken):
        booking.confirm(held.fhir_id, caller=caller, now=NOW)


def test_answers_of_a_booked_visit_are_amended_until_it_begins(held, caller):
    answer(held, caller, pain="No", b="x", done=True)
    booked = booking.confirm(held.fhir_id, caller=caller, now=NOW)
    assert answer(booked, caller, pain="No", b="x", done=True).status == "completed"
    assert answer(booked, caller, pain="No", b="y", done=True).status == "amended"
    with pytest.raises(RuleBroken, match="can no longer be answered"):
        answer(booked, caller, pain="No", b="z", now=booked.start)


def test_the_author_is_recorded_on_completion(held, caller):
    answer(held, caller, pain="No")
    answer(held, caller, pain="No", b="x", done=True)
    [line] = AuditEvent.objects.filter(subtype="answer")
    assert (line.user, line.appointment) == (caller.user, held)


def test_a_retired_questionnaire_is_not_asked(held, form_row):
    form_row.status = "retired"
    form_row.save()
    assert questionnaire_answers.forms_of(held, ZONE) == []
