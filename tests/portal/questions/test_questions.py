"""The questions of a visit, page by page, without losing answers."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, QuestionnaireResponse, Slot
from tests.portal.questions.answers import COMPLETE, NAMES, page, response, sent

pytestmark = pytest.mark.django_db


def test_the_questions_begin_where_something_is_missing(as_ada, held):
    start = reverse("portal:questions", args=[held.fhir_id])
    assertRedirects(as_ada.get(start), page(held))
    reply = as_ada.get(page(held))
    for words in ("Before your visit", "Does your chest hurt?", "Held for you until", "(optional)"):
        assertContains(reply, words)


def test_a_question_that_was_not_asked_is_no_error(as_ada, held):
    assertNotContains(as_ada.get(page(held)), "field__error")
    news = as_ada.post(page(held), sent("pain", "smokes", "since", pain="No", smokes="true"))
    assertNotContains(news, "field__error")


def test_looking_writes_nothing(as_ada, held):
    as_ada.get(page(held))
    assert not QuestionnaireResponse.objects.exists()


def test_complete_answers_are_kept_and_lead_on(as_ada, held):
    assertRedirects(as_ada.post(page(held), COMPLETE), reverse("portal:confirm", args=[held.fhir_id]))
    assert (response().status, response().patient) == ("completed", held.patient)
    assert response().item[0] == {
        "linkId": "pain",
        "text": "Does your chest hurt?",
        "answer": [{"valueString": "No"}],
    }


def test_errors_link_to_their_questions_and_answers_stay(as_ada, held):
    typed = sent("pain", "smokes", "since", smokes="false")
    refused = as_ada.post(
        page(held), {**typed, "q-since.0.day": "31", "q-since.0.month": "2", "q-since.0.year": "2020"}
    )
    assert refused.status_code == 200
    assertContains(refused, '<a href="#q-pain.0-0">')
    assertContains(refused, '<a href="#q-since.0.month">')
    again = as_ada.get(page(held))
    assertContains(again, 'name="q-since.0.day" value="31"')
    assert response().status == "in-progress"


def test_a_question_that_comes_up_is_asked_before_it_goes_on(as_ada, held):
    """The question was not on the page yet without JavaScript, so its missing answer is no error."""
    typed = sent("pain", "smokes", "since", pain="No", smokes="true")
    reply = as_ada.post(page(held), typed)
    assertContains(reply, "Because of your answers we ask one more question.")
    assertNotContains(reply, "There is a problem")
    refused = as_ada.post(page(held), sent("pain", "smokes", "how-much", "since", pain="No", smokes="true"))
    assertContains(refused, "Answer this question.")
    typed = sent("pain", "smokes", "how-much", "since", pain="No", smokes="true", how_much="5")
    assert as_ada.post(page(held), typed).status_code == 302
    assert response().status == "completed"


def test_disabled_questions_are_hidden_and_not_sent(as_ada, held):
    assertContains(as_ada.get(page(held)), 'data-depends="q-how-much" hidden disabled')


def test_characters_that_cannot_be_stored_are_left_out(as_ada, held, form):
    form.item = [NAMES]
    form.save()
    as_ada.post(page(held), {"shown": "q-names", "q-names.0": "A\x00d\x08a"})
    assert response().item[0]["answer"] == [{"valueString": "Ada"}]


def test_rows_are_added_and_removed_without_javascript(as_ada, held, form):
    form.item = [NAMES]
    form.save()
    grown = as_ada.post(page(held), {"shown": "q-names", "q-names.0": "Ada", "add": "q-names.0"})
    assertContains(grown, 'name="q-names.1"')
    assertContains(grown, "autofocus", 1)
    three = {
        "shown": "q-names",
        "q-names.0": "Ada",
        "q-names.1": "Bertram",
        "q-names.2": "Cy",
        "remove": "q-names.1",
    }
    reply = as_ada.post(page(held), three)
    assertNotContains(reply, "Bertram")
    assert response().item[0]["answer"] == [{"valueString": "Ada"}, {"valueString": "Cy"}]


def test_an_alarm_stops_the_booking_and_says_what_to_do(as_ada, held):
    stop = reverse("portal:questions-stop", args=[held.fhir_id])
    typed = sent("pain", "smokes", "since", pain="Yes", smokes="false")
    assertRedirects(as_ada.post(page(held), typed), stop)
    reply = as_ada.get(stop)
    for words in ("Call 911 now.", "I answered by mistake: change my answer", "Let the time go"):
        assertContains(reply, words)
    assert response().status == "stopped"
    assertContains(as_ada.get(reverse("portal:confirm", args=[held.fhir_id])), "<p>Call 911 now.</p>")
    as_ada.post(reverse("portal:confirm", args=[held.fhir_id]))
    held.refresh_from_db()
    assert held.status == "pending"
    assertRedirects(as_ada.get(reverse("portal:questions", args=[held.fhir_id])), stop)
    as_ada.post(page(held), COMPLETE)
    assert response().status == "completed"
    assertRedirects(as_ada.get(stop), reverse("portal:questions", args=[held.fhir_id]), fetch_redirect_response=False)


def test_optional_questions_can_be_skipped_and_required_ones_cannot(as_ada, held, service):
    assertNotContains(as_ada.get(page(held)), "Skip these questions")
    as_ada.post(page(held), {"skip": "1"})
    assert response().status == "in-progress"
    service.requires_questionnaires = False
    service.save()
    assertContains(as_ada.get(page(held)), "Skip these questions")
    assertRedirects(as_ada.post(page(held), {"skip": "1"}), reverse("portal:confirm", args=[held.fhir_id]))


def test_a_hold_that_ran_out_keeps_the_answers_and_offers_times(as_ada, held):
    over = timezone.now() - timedelta(seconds=1)
    Appointment.objects.filter(pk=held.pk).update(hold_expires_at=over)
    Slot.objects.filter(appointment=held).update(hold_expires_at=over)
    gone = as_ada.post(page(held), COMPLETE)
    assertRedirects(gone, reverse("portal:confirm", args=[held.fhir_id]), fetch_redirect_response=False)
    assert response().status == "completed"


def test_the_time_can_be_kept_longer_without_losing_what_was_typed(as_ada, held):
    ends = held.hold_expires_at
    as_ada.post(page(held), {**COMPLETE, "keep": "1"})
    held.refresh_from_db()
    assert held.hold_expires_at > ends
    assert response().item


def test_a_page_takes_the_same_queries_however_much_is_asked(as_ada, held, form):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            as_ada.get(page(held))
        return len(captured)

    few = queries()
    form.item = [*form.item, *({"linkId": f"t{n}", "type": "string", "text": "More"} for n in range(4))]
    form.save()
    assert queries() == few


def test_an_older_page_does_not_undo_what_was_saved_and_both_are_seen(as_ada, held):
    """A form that was posted again, or was open in another window."""
    as_ada.post(page(held), {**COMPLETE, "version": "0"})
    old = sent("pain", "smokes", "since", pain="No", smokes="true")
    reply = as_ada.post(page(held), {**old, "version": "0"})
    assertContains(reply, "These answers were saved in another window")
    assertContains(reply, "<li>Do you smoke? – Yes</li>")
    assert response().status == "completed"
    assert response().item[1]["answer"] == [{"valueBoolean": False}]
    assertNotContains(as_ada.get(page(held)), "These answers were saved in another window")


def test_an_older_page_that_says_the_same_goes_on(as_ada, held):
    as_ada.post(page(held), {**COMPLETE, "version": "0"})
    answer = as_ada.post(page(held), {**COMPLETE, "version": "0"})
    assertRedirects(answer, reverse("portal:confirm", args=[held.fhir_id]))


def test_another_language_and_another_time_save_what_is_typed(as_ada, held):
    typed = sent("pain", "smokes", "since", pain="No", smokes="true")
    assertContains(as_ada.post(page(held), {**typed, "read-in": "es"}), '<html lang="es"')
    assert response().status == "in-progress"
    assert as_ada.post(page(held), {**typed, "let-go": "another"}).url == f"/book/{held.service.fhir_id}/"
    held.refresh_from_db()
    assert held.status == "cancelled"
