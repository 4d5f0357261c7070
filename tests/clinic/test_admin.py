"""Django's administration of the nouns."""

from datetime import timedelta
from itertools import count

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.urls import reverse

from clinic.admin.fields import ClosuresField, ElementsField, RemindersField, WeeklyHoursField
from clinic.models import (
    AuditEvent,
    CalendarFeed,
    CareTeam,
    Communication,
    Coverage,
    Device,
    Encounter,
    HealthcareService,
    Location,
    MessagePreferences,
    MessageTemplate,
    Organization,
    Patient,
    Practitioner,
    PractitionerRole,
    Questionnaire,
    QuestionnaireResponse,
    RelatedPerson,
    Schedule,
    User,
)
from tests.factories import (
    AppointmentFactory,
    AuditEventFactory,
    CalendarFeedFactory,
    CareTeamFactory,
    CommunicationFactory,
    CoverageFactory,
    DeviceFactory,
    EncounterFactory,
    LocationFactory,
    MessagePreferencesFactory,
    MessageTemplateFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)

NOUNS = [
    Organization,
    Location,
    Device,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    Patient,
    RelatedPerson,
    Coverage,
    CareTeam,
    Encounter,
    Questionnaire,
    QuestionnaireResponse,
    Schedule,
    Communication,
    MessageTemplate,
    MessagePreferences,
    CalendarFeed,
    AuditEvent,
    User,
]
MADE_ELSEWHERE = (QuestionnaireResponse, Encounter, Communication, CalendarFeed, AuditEvent)
LANGUAGES = (f"l{number}" for number in count())
FACTORIES = [
    RoleFactory,
    RoomFactory,
    DeviceFactory,
    ServiceFactory,
    PatientFactory,
    QuestionnaireFactory,
    ScheduleFactory,
    AuditEventFactory,
    UserFactory,
    lambda: RelatedPersonFactory(user=UserFactory()),
    CoverageFactory,
    lambda: CareTeamFactory(members=[PractitionerFactory()]),
    lambda: EncounterFactory(appointment=AppointmentFactory()),
    lambda: QuestionnaireResponseFactory(appointment=AppointmentFactory()),
    lambda: CommunicationFactory(appointment=AppointmentFactory()),
    lambda: MessageTemplateFactory(language=next(LANGUAGES)),
    MessagePreferencesFactory,
    lambda: CalendarFeedFactory(practitioner=PractitionerFactory()),
]
SERVICE = {
    "name": "Check-up",
    "bookable_by": "patients",
    "eligibility": "everyone",
    "minimum_notice": "0",
    "cancellation_notice": "0",
}
EMPTY_INLINE = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}


@pytest.fixture
def administrator(db):
    return User.objects.create_superuser("alex@example.com", "secret-password")


@pytest.fixture
def desk(client, administrator):
    """The administrator's browser."""
    client.force_login(administrator)
    return client


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def inline(prefix, **fields):
    """One new row of an inline."""
    first = {f"{prefix}-0-{name}": value for name, value in fields.items()}
    return {f"{prefix}-TOTAL_FORMS": "1" if fields else "0", f"{prefix}-INITIAL_FORMS": "0", **first}


def errors(response):
    context = response.context
    return [str(error) for each in context["errors"] for error in each]


@pytest.mark.parametrize("model", NOUNS)
def test_every_page_of_a_noun_opens_for_the_administrator(desk, model):
    for make in FACTORIES:
        make()
    row = model.objects.order_by("pk").first()

    assert desk.get(url(model, "changelist")).status_code == 200
    assert desk.get(url(model, "changelist"), {"q": "x"}).status_code == 200
    assert desk.get(url(model, "change", row.pk)).status_code == 200
    assert desk.get(url(model, "history", row.pk)).status_code == 200
    assert desk.get(url(model, "add")).status_code == (403 if model in MADE_ELSEWHERE else 200)


@pytest.mark.parametrize("model", NOUNS)
def test_nobody_else_comes_in(client, db, model):
    client.force_login(UserFactory())

    for page in ("changelist", "add"):
        response = client.get(url(model, page))
        assert response.status_code == 302
        assert response.url.startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", [model for model in NOUNS if model is not User])
def test_a_list_costs_the_same_however_long_it_is(desk, model, django_assert_max_num_queries):
    for make in FACTORIES:
        make()
    desk.get(url(model, "changelist"))  # content types are looked up once
    with django_assert_max_num_queries(40) as few:
        desk.get(url(model, "changelist"))
    for make in FACTORIES * 4:
        make()

    with django_assert_max_num_queries(len(few.captured_queries)):
        desk.get(url(model, "changelist"))


def test_the_clinics_name_is_on_every_page(desk, settings):
    assert settings.CLINIC_NAME in desk.get(reverse("admin:index")).content.decode()


def test_all_that_is_registered_opens(desk):
    for model in admin.site._registry:
        assert desk.get(url(model, "changelist")).status_code == 200, model


def test_saving_is_the_next_version(desk):
    site = LocationFactory()

    response = desk.post(url(Location, "change", site.pk), {"status": "active", "name": "Main Street"})

    assert response.status_code == 302
    before, site = site.last_updated, Location.objects.get()
    assert (site.name, site.version) == ("Main Street", 2)
    assert site.last_updated > before


def test_what_is_deleted_is_gone_and_answers_410(desk):
    patient = PatientFactory()

    desk.post(url(Patient, "delete", patient.pk), {"post": "yes"})

    patient.refresh_from_db()
    assert patient.deleted_at is not None
    assert patient.version == 2
    assert desk.get(url(Patient, "change", patient.pk)).status_code == 302


def test_what_others_refer_to_cannot_be_deleted(desk):
    role = RoleFactory()

    response = desk.get(url(Practitioner, "delete", role.practitioner.pk))

    assert "Cannot delete practitioner" in response.content.decode()


def test_a_zone_that_does_not_exist_is_refused_beside_its_field(desk):
    data = SERVICE
    parameters = inline("scheduling_parameters", duration="30", timezone="America/New_Yorck")

    response = desk.post(url(HealthcareService, "add"), data | parameters)

    assert response.status_code == 200
    [form] = response.context["inline_admin_formsets"][0].formset.forms
    assert "is not a time zone" in form.errors["timezone"][0]
    assert not HealthcareService.objects.exists()


def test_a_service_is_made_with_its_hours(desk):
    data = SERVICE | {
        "active": "on",
        "requires": ["Practitioner", "Device"],
        "eligibility": "new",
        "reminders": "2 hours, 1 week",
        "minimum_notice": "01:00:00",
        "cancellation_notice": "1 00:00:00",
    }
    hours = "mon-fri 09:00-17:00\nsat all day"
    parameters = inline("scheduling_parameters", duration="30", availability=hours, not_available="2026-12-25: Closed")

    response = desk.post(url(HealthcareService, "add"), data | parameters)

    assert response.status_code == 302, errors(response)
    service = HealthcareService.objects.get()
    general = service.scheduling_parameters.get()
    assert service.requires == ["Practitioner", "Device"]
    assert (service.eligibility, service.reminders) == ("new", [timedelta(days=7), timedelta(hours=2)])
    assert general.schedule is None
    assert [window["daysOfWeek"] for window in general.availability] == [
        ["mon", "tue", "wed", "thu", "fri"],
        ["sat"],
    ]
    assert general.not_available == [{"description": "Closed", "during": {"start": "2026-12-25", "end": "2026-12-25"}}]


def test_two_schedules_of_one_practitioner_share_their_time(desk):
    role = RoleFactory()
    extra = inline("scheduling_parameters")

    for actor in ({"practitioner": role.practitioner.pk}, {"practitioner_role": role.pk}):
        response = desk.post(url(Schedule, "add"), {"active": "on"} | actor | extra)
        assert response.status_code == 302, errors(response)

    first, second = Schedule.objects.order_by("pk")
    assert first.bookable == second.bookable
    assert second.actor == role


def test_a_rooms_schedule_is_at_the_rooms_site(desk):
    room = RoomFactory()

    desk.post(url(Schedule, "add"), {"active": "on", "location": room.pk} | inline("scheduling_parameters"))

    assert Schedule.objects.get().site == room.part_of


def test_a_schedule_is_of_exactly_one_actor(desk):
    practitioner, room = PractitionerFactory(), RoomFactory()
    extra = inline("scheduling_parameters")

    for actors in ({}, {"practitioner": practitioner.pk, "location": room.pk}):
        response = desk.post(url(Schedule, "add"), {"active": "on"} | actors | extra)
        assert "Choose whose time it is" in errors(response)[0]

    assert not Schedule.objects.exists()


def test_a_user_is_made_with_an_e_mail_address(desk):
    password = "a-long-and-odd-password"
    data = {"email": "new@example.com", "usable_password": "true", "password1": password, "password2": password}

    response = desk.post(url(User, "add"), data)

    assert response.status_code == 302, errors(response)
    assert User.objects.get(email="new@example.com").check_password(password)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", None),
        ("closed", []),
        ("mon 9:00-17:00", [(["mon"], "09:00:00", "17:00:00")]),
        ("Thu, Fri 22:00 - 06:00", [(["thu", "fri"], "22:00:00", "06:00:00")]),
        ("fri-mon 08:00-12:00", [(["fri", "sat", "sun", "mon"], "08:00:00", "12:00:00")]),
        ("sat all day", [(["sat"], None, None)]),
    ],
)
def test_weekly_hours_are_read(text, entries):
    read = WeeklyHoursField(rows=1).clean(text)

    found = read and [
        (each["daysOfWeek"], each.get("availableStartTime"), each.get("availableEndTime")) for each in read
    ]
    assert found == entries


@pytest.mark.parametrize("text", ["", "closed", "mon-fri 09:00-17:00\nsat sun all day", "mon wed fri 22:30-06:00"])
def test_weekly_hours_are_shown_as_they_were_written(text):
    field = WeeklyHoursField(rows=1)

    assert field.prepare_value(field.clean(text)) == text
    assert not field.has_changed(field.clean(text), text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mon", "'mon' is not like mon-fri 09:00-17:00"),
        ("mon-fri 09:00-17:00\nmonday 09:00-17:00", "Line 2: 'monday' is not one of mon, tue"),
        ("mon 09:00-25:00", "'25:00' is not a time such as 09:00"),
    ],
)
def test_wrong_hours_are_refused_with_the_line(text, message):
    with pytest.raises(ValidationError, match=message):
        WeeklyHoursField(rows=1).clean(text)


@pytest.mark.parametrize(
    "text",
    ["2026-12-25", "2026-12-24 to 2027-01-02: Winter break", "2026-12-24T13:00:00-05:00 to 2026-12-25: Eve: closed"],
)
def test_closures_are_shown_as_they_were_written(text):
    field = ClosuresField(rows=1)

    assert field.prepare_value(field.clean(text)) == text


@pytest.mark.parametrize("text", ["Christmas", "2026-13-01", "2026-12-24T13:00", "2027-01-02 to 2026-12-24"])
def test_wrong_closures_are_refused(text):
    with pytest.raises(ValidationError, match="Line 1"):
        ClosuresField(rows=1).clean(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("", []), ("2 days, 2 hours", [48, 2]), ("90 Minutes,1 week", [168, 1.5]), ("1hour, 60 minutes", [1])],
)
def test_reminders_are_read(text, hours):
    assert RemindersField(required=False).clean(text) == [timedelta(hours=each) for each in hours]


@pytest.mark.parametrize("text", ["", "1 week, 2 days, 90 minutes, 1 hour"])
def test_reminders_are_shown_in_words(text):
    field = RemindersField(required=False)

    assert field.prepare_value(field.clean(text)) == text
    assert not field.has_changed(field.clean(text), text)


@pytest.mark.parametrize("text", ["soon", "0 hours", "2 days 2 hours", "-1 day", "53 weeks", "2 00:00:00"])
def test_wrong_reminders_are_refused(text):
    with pytest.raises(ValidationError, match=r"is not like 2 days|is more than a year"):
        RemindersField(required=False).clean(text)


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"coding": "x"}]'])
def test_what_is_not_fhir_is_refused(text):
    with pytest.raises(ValidationError):
        ElementsField(element="CodeableConcept", required=False).clean(text)


def test_what_a_line_cannot_say_is_kept_while_nobody_touches_it(desk):
    schedule = ScheduleFactory()
    window = {"daysOfWeek": ["mon"], "allDay": True, "extension": [{"url": "https://example.org/x", "valueCode": "y"}]}
    own = schedule.scheduling_parameters.create(service=schedule.services.get(), availability=[window])
    prefix = "scheduling_parameters"
    data = {
        "active": "on",
        "comment": "Changed",
        f"{prefix}-TOTAL_FORMS": "1",
        f"{prefix}-INITIAL_FORMS": "1",
        f"{prefix}-0-id": own.pk,
        f"{prefix}-0-schedule": schedule.pk,
        f"{prefix}-0-service": own.service.pk,
        f"{prefix}-0-duration": "45",
        f"{prefix}-0-availability": "mon all day",
    }

    response = desk.post(url(Schedule, "change", schedule.pk), data)

    assert response.status_code == 302, errors(response)
    own.refresh_from_db()
    assert (own.duration, own.availability) == (45, [window])


def test_half_a_position_is_refused_beside_its_field(desk):
    data = {"status": "active", "name": "Main Street", "latitude": "40.7"}

    response = desk.post(url(Location, "add"), data)

    assert errors(response) == ["Give the longitude too, or neither."]


def test_a_coverage_ends_after_it_starts(desk):
    data = {
        "status": "active",
        "beneficiary": PatientFactory().pk,
        "payor": '[{"display": "Acme"}]',
        "start": "2026-02-01",
        "end": "2026-01-01",
    }

    assert errors(desk.post(url(Coverage, "add"), data)) == ["It ends before it starts."]
    assert desk.post(url(Coverage, "add"), data | {"end": ""}).status_code == 302
    assert Coverage.objects.get().payor == [{"display": "Acme"}]


def test_practitioners_are_chosen_for_a_care_team_and_others_stay(desk):
    old, new = PractitionerFactory(), PractitionerFactory()
    team = CareTeamFactory(members=[old, PatientFactory()])
    other = team.participant[1]

    response = desk.post(
        url(CareTeam, "change", team.pk),
        {"status": "active", "name": team.name, "patient": team.patient.pk, "practitioners": [new.pk]},
    )

    assert response.status_code == 302, errors(response)
    team.refresh_from_db()
    assert team.participant == [other, {"member": {"reference": new.reference, "display": str(new)}}]


def test_answers_are_read_with_their_questions(desk):
    item = [
        {"linkId": "1", "answer": [{"valueString": "A rash"}]},
        {"linkId": "2", "text": "Allergies?", "answer": [{"valueBoolean": False}]},
        {"linkId": "3", "answer": [{"valueCoding": {"code": "l", "display": "Left"}}, {"valueDecimal": 1.5}]},
    ]
    response = QuestionnaireResponseFactory(item=item)

    page = desk.get(url(QuestionnaireResponse, "change", response.pk)).content.decode()

    for text in ("What brings you here?", "A rash", "Allergies?", "No", "Left, 1.5"):
        assert text in page


@pytest.mark.parametrize("factory", [EncounterFactory, QuestionnaireResponseFactory])
def test_what_was_entered_in_error_does_not_come_back_beside_another(desk, factory):
    visit, form = AppointmentFactory(), QuestionnaireFactory()
    more = {"questionnaire": form} if factory is QuestionnaireResponseFactory else {}
    wrong = factory(appointment=visit, status="entered-in-error", **more)
    factory(appointment=visit, **more)
    status = "completed" if more else "finished"

    response = desk.post(url(type(wrong), "change", wrong.pk), {"status": status})

    assert response.status_code == 200
    assert "for the same visit" in errors(response)[0] or "of the same visit" in errors(response)[0]


def test_one_who_signs_in_cares_for_a_patient_once(desk):
    grace = RelatedPersonFactory(user=UserFactory())
    data = {"active": "on", "patient": grace.patient.pk, "user": grace.user.pk, "given": "Grace"}

    assert "cares for this patient already" in errors(desk.post(url(RelatedPerson, "add"), data))[0]


def test_who_cares_for_a_patient_is_added_on_the_patients_page(desk):
    patient = PatientFactory()
    data = {"active": "on", "given": "Ada", "family": "Quinn", "email": patient.email, "language": "es"}
    carer = inline("related_persons", given="Grace", relationship='[{"text": "Mother"}]')
    preferences = inline("message_preferences")

    response = desk.post(url(Patient, "change", patient.pk), data | carer | preferences)

    assert response.status_code == 302, errors(response)
    grace = patient.related_persons.get()
    assert (grace.given, grace.relationship, grace.version) == ("Grace", [{"text": "Mother"}], 1)
    assert Patient.objects.get().language == "es"


def test_a_message_leads_to_its_visit_and_cannot_be_changed(desk):
    message = CommunicationFactory(appointment=AppointmentFactory(), body="See you on Monday.")
    page = desk.get(url(Communication, "change", message.pk)).content.decode()

    assert reverse("admin:clinic_appointment_change", args=[message.appointment.pk]) in page
    assert "See you on Monday." in page
    assert desk.post(url(Communication, "change", message.pk), {"body": "x"}).status_code == 403
    assert desk.post(url(Communication, "delete", message.pk), {"post": "yes"}).status_code == 403


def test_a_guests_proof_is_shown_to_nobody(desk):
    message = CommunicationFactory(event="proof", subject="123456 is your code", body="Your code is 123456.")

    assert "123456" not in desk.get(url(Communication, "change", message.pk)).content.decode()


def test_a_calendar_feed_is_revoked_and_its_secret_not_shown(desk):
    feed, gone = CalendarFeedFactory(), CalendarFeedFactory(revoked="2026-01-01T00:00:00Z")
    before = gone.revoked
    page = desk.get(url(CalendarFeed, "change", feed.pk)).content.decode()

    desk.post(url(CalendarFeed, "changelist"), {"action": "revoke", "_selected_action": [feed.pk, gone.pk]})

    assert feed.secret_digest not in page
    feed.refresh_from_db()
    gone.refresh_from_db()
    assert feed.revoked is not None
    assert f"{gone.revoked:%Y-%m-%d}" == before[:10]


def test_a_row_that_was_left_empty_is_nobody(desk):
    patient = PatientFactory()
    data = {"active": "on", "given": "Ada"}
    blank = inline("related_persons", active="on", relationship="[]")

    desk.post(url(Patient, "change", patient.pk), data | blank | inline("message_preferences"))

    assert Patient.objects.get().given == "Ada"
    assert not RelatedPerson.objects.exists()
