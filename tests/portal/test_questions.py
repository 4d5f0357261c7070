"""The questions of a visit: page by page, kept while one types, never lost, changed later."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.fhir.codes import RED_FLAG
from clinic.models import Appointment, QuestionnaireResponse, Slot
from scheduling.access import Caller
from tests.factories import (
    AppointmentFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    ServiceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 plan"
ALARM = [{"url": RED_FLAG, "valueString": "Call 911 now."}]
PAIN = {
    "linkId": "pain",
    "type": "choice",
    "text": "Does your chest hurt?",
    "required": True,
    "answerOption": [{"valueString": "No"}, {"valueString": "Yes", "extension": ALARM}],
}
SMOKES = {"linkId": "smokes", "type": "boolean", "text": "Do you smoke?", "required": True}
HOW_MUCH = {
    "linkId": "how-much",
    "type": "integer",
    "text": "How many a day?",
    "required": True,
    "enableWhen": [{"question": "smokes", "operator": "=", "answerBoolean": True}],
}
BORN = {"linkId": "since", "type": "date", "text": "Since when?"}
FILE = {"linkId": "letter", "type": "attachment", "text": "Your letter"}
NAMES = {"linkId": "names", "type": "string", "text": "Names", "repeats": True}


@pytest.fixture
def form():
    return QuestionnaireFactory(title="Before your visit", item=[PAIN, SMOKES, HOW_MUCH, BORN])


@pytest.fixture
def service(form):
    return ServiceFactory(name="Check-up", questionnaires=[form], requires_questionnaires=True)


@pytest.fixture
def held(service, ada, site):
    soon = timezone.now() + timedelta(minutes=10)
    return AppointmentFactory(
        service=service,
        patient=ada,
        site=site,
        status="pending",
        hold_expires_at=soon,
        start=soon + timedelta(days=3),
    )


@pytest.fixture
def as_ada(client, ada):
    client.force_login(ada.user)
    return client


def page(appointment, number=1):
    return reverse("portal:questions-part", args=[appointment.fhir_id, number])


def sent(*shown, **typed):
    """What the form sends: `shown` questions, and `typed` by linkId with dots for hyphens in `how_much`."""
    controls = {f"q-{name.replace('_', '-')}": value for name, value in typed.items()}
    return {"shown": [f"q-{each}" for each in shown], **{f"{n}.0": v for n, v in controls.items()}}


COMPLETE = sent("pain", "smokes", "since", pain="No", smokes="false")


def response():
    return QuestionnaireResponse.objects.get()


def test_the_questions_begin_where_something_is_missing(as_ada, held):
    start = reverse("portal:questions", args=[held.fhir_id])
    assertRedirects(as_ada.get(start), page(held))
    shown = as_ada.get(page(held))
    for words in ("Before your visit", "Does your chest hurt?", "Held for you until", "(optional)"):
        assertContains(shown, words)


def test_nobody_is_told_off_for_what_they_were_not_asked(as_ada, held):
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


def test_what_is_missing_or_wrong_is_said_with_a_way_to_it_and_nothing_is_lost(as_ada, held):
    typed = sent("pain", "smokes", "since", smokes="false")
    refused = as_ada.post(
        page(held), {**typed, "q-since.0.day": "31", "q-since.0.month": "2", "q-since.0.year": "2020"}
    )
    assert refused.status_code == 422
    assertContains(refused, '<a href="#q-pain.0-0">', status_code=422)
    assertContains(refused, '<a href="#q-since.0.day">', status_code=422)
    again = as_ada.get(page(held))
    assertContains(again, 'name="q-since.0.day" value="31"')
    assert response().status == "in-progress"


def test_a_question_that_comes_up_is_asked_before_it_goes_on(as_ada, held):
    """Without JavaScript: it was not on the page yet, so nobody is told off for it."""
    typed = sent("pain", "smokes", "since", pain="No", smokes="true")
    shown = as_ada.post(page(held), typed)
    assertContains(shown, "Because of your answers we ask one more question.")
    assertNotContains(shown, "There is a problem")
    refused = as_ada.post(page(held), sent("pain", "smokes", "how-much", "since", pain="No", smokes="true"))
    assertContains(refused, "Answer this question.", status_code=422)
    typed = sent("pain", "smokes", "how-much", "since", pain="No", smokes="true", how_much="5")
    assert as_ada.post(page(held), typed).status_code == 302
    assert response().status == "completed"


def test_what_does_not_apply_is_hidden_and_not_sent(as_ada, held):
    assertContains(as_ada.get(page(held)), 'data-depends="q-how-much" hidden disabled')


def test_typing_is_kept_and_tells_what_comes_up(as_ada, held):
    save = reverse("portal:questions-save", args=[held.fhir_id, 1])
    told = as_ada.post(save, {**sent("pain", "smokes", "since", smokes="true"), "version": "0"}).json()
    assert told["saved"].startswith("Saved ")
    assert "(New York time)" in told["saved"]
    assert (told["hidden"], told["alarms"], told["version"]) == ([], {}, 1)
    assert response().status == "in-progress"
    told = as_ada.post(save, {**sent("pain", "smokes", "since", smokes="false"), "version": "1"}).json()
    assert told["hidden"] == ["q-how-much"]


def test_typing_that_arrives_late_does_not_undo_what_was_sent(as_ada, held):
    as_ada.post(page(held), COMPLETE)
    save = reverse("portal:questions-save", args=[held.fhir_id, 1])
    as_ada.post(save, {**sent("pain", "smokes", pain="No", smokes="true"), "version": "0"})
    assert response().status == "completed"


def test_what_nothing_can_store_is_left_out(as_ada, held, form):
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
    three = {"shown": "q-names", "q-names.0": "Ada", "q-names.1": "Bertram", "q-names.2": "Cy", "remove": "q-names.1"}
    shown = as_ada.post(page(held), three)
    assertNotContains(shown, "Bertram")
    assert response().item[0]["answer"] == [{"valueString": "Ada"}, {"valueString": "Cy"}]


def test_a_file_stays_with_the_answers_and_is_read_by_who_may(as_ada, held, form, client, bo, rana):
    form.item = [FILE, SMOKES]
    form.save()
    upload = SimpleUploadedFile("plan.pdf", PDF, "application/pdf")
    refused = as_ada.post(page(held), {"shown": ["q-letter", "q-smokes"], "q-letter.0": upload})
    assertContains(refused, "plan.pdf, 13", status_code=422)
    digest = response().item[0]["answer"][0]["valueAttachment"]["hash"]
    assertContains(refused, f'name="q-letter.0" value="{digest}"', status_code=422)
    as_ada.post(page(held), {"shown": ["q-letter", "q-smokes"], "q-letter.0": [digest, ""], "q-smokes.0": "true"})
    answers = as_ada.get(reverse("portal:answers", args=[held.fhir_id])).content.decode()
    link = re.search(rf'"([^"]*/answers/{response().fhir_id}/[^"]*)"', answers)[1]
    assert as_ada.get(link).content == PDF
    assert as_ada.get(link)["Content-Disposition"].startswith("attachment")
    client.force_login(bo.user)
    assert client.get(link).status_code == 404
    client.force_login(rana)
    assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("plan.pdf", b"MZ not a PDF", "Choose a file of one of these kinds: PDF, JPEG, PNG."),
        ("big.pdf", b"%PDF-" + b"0" * (5 * 1024 * 1024), "at most 5 MB. This one has 5.0 MB."),
    ],
)
def test_other_files_are_refused_with_the_reason(as_ada, held, form, name, data, words):
    form.item = [FILE]
    form.save()
    upload = SimpleUploadedFile(name, data, "application/pdf")
    refused = as_ada.post(page(held), {"shown": "q-letter", "q-letter.0": upload})
    assertContains(refused, words, status_code=422)


def test_an_alarm_stops_the_booking_and_says_what_to_do(as_ada, held):
    stop = reverse("portal:questions-stop", args=[held.fhir_id])
    typed = sent("pain", "smokes", "since", pain="Yes", smokes="false")
    assertRedirects(as_ada.post(page(held), typed), stop)
    shown = as_ada.get(stop)
    for words in ("Call 911 now.", "I answered by mistake: change my answer", "Give the time back"):
        assertContains(shown, words)
    assert response().status == "stopped"
    assertContains(as_ada.get(reverse("portal:confirm", args=[held.fhir_id])), "<p>Call 911 now.</p>")
    as_ada.post(reverse("portal:confirm", args=[held.fhir_id]))
    held.refresh_from_db()
    assert held.status == "pending"
    assertRedirects(as_ada.get(reverse("portal:questions", args=[held.fhir_id])), stop)
    as_ada.post(page(held), COMPLETE)
    assert response().status == "completed"
    assertRedirects(as_ada.get(stop), reverse("portal:questions", args=[held.fhir_id]), fetch_redirect_response=False)


def test_an_alarm_is_told_while_typing(as_ada, held):
    save = reverse("portal:questions-save", args=[held.fhir_id, 1])
    told = as_ada.post(save, {**sent("pain", pain="Yes"), "version": "0"}).json()
    assert told["alarms"] == {"q-pain": "Call 911 now."}


def test_optional_questions_can_be_skipped_and_required_ones_cannot(as_ada, held, service):
    assertNotContains(as_ada.get(page(held)), "Skip these questions")
    as_ada.post(page(held), {"skip": "1"})
    assert response().status == "in-progress"
    service.requires_questionnaires = False
    service.save()
    assertContains(as_ada.get(page(held)), "Skip these questions")
    assertRedirects(as_ada.post(page(held), {"skip": "1"}), reverse("portal:confirm", args=[held.fhir_id]))


def long_form():
    def group(name, *questions):
        return {"linkId": name, "type": "group", "text": name.title(), "item": list(questions)}

    texts = [{"linkId": f"t{n}", "type": "string", "text": f"Text {n}"} for n in range(8)]
    only_smokers = {**group("smoking", HOW_MUCH), "enableWhen": HOW_MUCH["enableWhen"]}
    return [group("first", SMOKES, *texts[:4]), only_smokers, group("last", *texts[4:])]


def test_a_long_questionnaire_is_asked_in_parts_that_apply(as_ada, held, form):
    form.item = long_form()
    form.save()
    shown = ["q-smokes.0", *(f"q-t{n}.0" for n in range(4))]
    assertContains(as_ada.get(page(held)), "Part 1 of 2")
    no, yes = ({"shown": shown, "q-first.0": "1", "q-smokes.0.0": smokes} for smokes in ("false", "true"))
    assertRedirects(as_ada.post(page(held), no), page(held, 3))
    assertRedirects(as_ada.post(page(held), yes), page(held, 2))
    assertContains(as_ada.get(page(held, 2)), "Part 2 of 3")


def test_a_part_cannot_be_jumped_over(as_ada, held, form):
    form.item = long_form()
    form.save()
    shown = [f"q-t{n}.0" for n in range(4, 8)]
    back = as_ada.post(page(held, 3), {"shown": shown}, follow=True)
    assertRedirects(back, f"{page(held, 1)}?check=1")
    assertContains(back, '<a href="#q-smokes.0.0-0">')
    assert response().status == "in-progress"


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


def test_a_carer_answers_for_whom_they_care_for(client, held):
    carer = UserFactory()
    RelatedPersonFactory(patient=held.patient, user=carer)
    client.force_login(carer)
    client.post(page(held), COMPLETE)
    assert response().patient == held.patient


def test_a_guest_answers_for_the_time_that_their_browser_holds(client, held, bo):
    session = client.session
    session["guest"] = "secret"
    session.save()
    Appointment.objects.filter(pk=held.pk).update(held_by_guest=Caller(guest="secret").guest_digest, patient=None)
    assert client.get(page(held)).status_code == 200
    client.post(page(held), COMPLETE)
    assert response().patient is None


@pytest.mark.parametrize("name", ["questions", "questions-stop", "answers"])
def test_others_do_not_find_it(client, held, bo, name):
    address = reverse(f"portal:{name}", args=[held.fhir_id])
    assert client.get(address).status_code == 404
    client.force_login(bo.user)
    assert client.get(address).status_code == 404
    assert client.post(page(held), COMPLETE).status_code == 404
    assert not QuestionnaireResponse.objects.exists()


def booked(held):
    Appointment.objects.filter(pk=held.pk).update(status="booked", hold_expires_at=None)


def test_answers_to_a_booked_visit_are_read_and_changed(as_ada, held):
    as_ada.post(page(held), COMPLETE)
    booked(held)
    answers = reverse("portal:answers", args=[held.fhir_id])
    assertContains(as_ada.get(answers), "Change answers")
    assertContains(as_ada.get(page(held)), "Save changes")
    changed = {**sent("pain", "smokes", "since", pain="No", smokes="false"), "q-since.0.year": ""}
    assertRedirects(as_ada.post(page(held), changed), answers)
    assert response().status == "completed"
    typed = sent("pain", "smokes", "how-much", "since", pain="No", smokes="true", how_much="3")
    assertRedirects(as_ada.post(page(held), typed), answers)
    assert response().status == "amended"
    assertContains(as_ada.get(answers), "Changed after booking")


def test_once_the_visit_has_begun_answers_are_only_read(as_ada, held):
    as_ada.post(page(held), COMPLETE)
    booked(held)
    begun = timezone.now() - timedelta(minutes=1)
    Appointment.objects.filter(pk=held.pk).update(start=begun, end=begun + timedelta(minutes=30))
    answers = reverse("portal:answers", args=[held.fhir_id])
    assertNotContains(as_ada.get(answers), "Change answers")
    assertRedirects(as_ada.post(page(held), sent("pain", pain="Yes")), answers)
    assert response().status == "completed"


def test_a_page_takes_the_same_queries_however_much_is_asked(as_ada, held, form):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            as_ada.get(page(held))
        return len(captured)

    few = queries()
    form.item = [*form.item, *({"linkId": f"t{n}", "type": "string", "text": "More"} for n in range(4))]
    form.save()
    assert queries() == few


def test_staff_preview_a_questionnaire_and_nothing_is_kept(client, form, rana, as_ada):
    address = reverse("portal:questionnaire-preview", args=[form.fhir_id])
    assert as_ada.get(address).status_code == 403
    client.force_login(rana)
    assertContains(client.get(address), "nothing that you enter here is kept")
    assertContains(client.post(address, sent("pain", "smokes")), "There is a problem", status_code=422)
    told = client.post(address, sent("pain", pain="Yes"), headers={"accept": "application/json"}).json()
    assert told["alarms"] == {"q-pain": "Call 911 now."}
    assert not QuestionnaireResponse.objects.exists()


def test_the_staffs_panel_reads_answers(held, form):
    row = QuestionnaireResponseFactory(
        questionnaire=form,
        appointment=held,
        status="stopped",
        item=[{"linkId": "pain", "answer": [{"valueString": "Yes"}]}],
    )
    panel = render_to_string("portal/questions/_answers.html", {"response": row})
    for words in ("Does your chest hurt?", "Yes", "Stopped: needs attention now"):
        assert words in panel
