"""The encounters, answers and messages of the demo's visits."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from clinic import phones
from clinic.local_time import in_zone
from clinic.models import (
    Appointment,
    AppointmentResponse,
    Communication,
    Delay,
    EmbedOrigin,
    Encounter,
    Event,
    Location,
    Medium,
    Questionnaire,
    QuestionnaireResponse,
    Slot,
    User,
    WorkItem,
)
from clinic.zones import zone_named
from demo.seed.answers import ANSWERS
from demo.seed.people import FRONT_DESK
from scheduling import notifications, questionnaires
from scheduling.booking.encounters import BEGINS, FOLLOWS
from scheduling.notifications.audience import audience_of
from scheduling.notifications.letters import compose
from scheduling.participants import encounter_participants
from scheduling.waiting import bounds_of

Status = Appointment.Status
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FULL, BEGUN = 0.6, 0.75  # of those who may answer; the rest have not looked at the questions yet
REFUSED = (Medium.SMS, "The text service refuses the number or the text (error 21614).")
BOUNCED = (Medium.EMAIL, "The mail server would not take it (bounced).")
EXAMPLE_SITE = "http://localhost:8090"  # of examples/embed
QUESTION = "Hello, may I bring my son to the visit? There is nobody to look after him."
LOST = (REFUSED, BOUNCED, REFUSED, BOUNCED)


def leave(visits: Sequence[Appointment], named: Sequence[Appointment], *, now: datetime, random: Random) -> None:
    """Set-based but for the visits of the `named` patients, who are told about theirs."""
    Encounter.objects.bulk_create(encounter_of(each, now, random) for each in visits if each.status in BEGINS)
    QuestionnaireResponse.objects.bulk_create(_responses(visits, now, random))
    coming = [each for each in visits if each.status == Status.BOOKED]
    AppointmentResponse.objects.bulk_create(
        _acceptance(each, each.attendance_confirmed) for each in coming if each.attendance_confirmed
    )
    theirs = {each.pk for each in named}
    desk = Location.objects.get(fhir_id=FRONT_DESK[1])
    failures = list(_failures([each for each in coming if each.pk not in theirs and each.site_id == desk.pk], now))
    Communication.objects.bulk_create(
        [*(message for each in coming if each.pk in theirs for message in _confirmations(each)), *failures]
    )
    WorkItem.objects.bulk_create(_taken(failures, now))
    Communication.objects.bulk_create(_texts([each for each in coming if each.pk in theirs], now))
    for visit in coming:
        if visit.pk in theirs:
            notifications.booked(visit, now=now, tell=False)
    Delay.objects.bulk_create(_delay(desk, now))
    EmbedOrigin.objects.create(origin=EXAMPLE_SITE)


def _taken(failures: Sequence[Communication], now: datetime) -> Iterator[WorkItem]:
    """The item of the worklist that the front desk has taken: the first message that could not be sent."""
    rana = User.objects.get(email=FRONT_DESK[0])
    for message in failures[:1]:
        yield WorkItem(kind=WorkItem.Kind.FAILURE, row=message.pk, owner=rana, changed=now, changed_by=rana)


def _delay(site: Location, now: datetime) -> Iterator[Delay]:
    """A practitioner of the site who runs late today: the first one whose next visit is still to come."""
    zone = zone_named(site.timezone)
    start, end = bounds_of(in_zone(now, zone).date(), zone)
    coming = Slot.objects.filter(
        bookable__practitioner__isnull=False, appointment__site=site, appointment__status=Status.BOOKED
    )
    slot = coming.filter(start__gt=now, start__gte=start, start__lt=end).order_by("start", "pk").first()
    if slot is not None:
        yield Delay(bookable_id=slot.bookable_id, day=in_zone(now, zone).date(), minutes=20, since=now)


def _texts(visits: Sequence[Appointment], now: datetime) -> Iterator[Communication]:
    """The texts that patients have sent: one that waits for staff, about the first of the visits."""
    for visit in visits[:1]:
        yield Communication(
            event=Event.REPLY,
            medium=Medium.SMS,
            status=Communication.Status.COMPLETED,
            patient=visit.patient,
            appointment=visit,
            address=phones.text_to(visit.patient.phone) if visit.patient else "",
            body=QUESTION,
            due=now - 40 * MINUTE,
            sent=now - 40 * MINUTE,
            received=now - 40 * MINUTE,
            last_updated=now,
        )


def encounter_of(visit: Appointment, now: datetime, random: Random) -> Encounter:
    """Return the encounter of a visit that has begun."""
    start, end = _times(visit)
    came = min(start, now) - random.randrange(2, 13) * MINUTE
    by_video = bool(visit.service and visit.service.telehealth)
    return Encounter(
        last_updated=now,
        appointment=visit,
        status=FOLLOWS[Status(visit.status)],
        encounter_class=Encounter.Class.VIRTUAL if by_video else Encounter.Class.AMBULATORY,
        patient_id=visit.patient_id,
        service_id=visit.service_id,
        start=came,
        end=end if visit.status == Status.FULFILLED else None,
        participant=encounter_participants(visit.participant),
    )


def _responses(visits: Iterable[Appointment], now: datetime, random: Random) -> Iterator[QuestionnaireResponse]:
    """The answers for these visits: all that are required, and some of those that are optional."""
    rows = Questionnaire.objects.prefetch_related("services")
    forms = {service.pk: form for form in rows for service in form.services.all()}
    for visit in visits:
        form = forms.get(visit.service_id or 0)
        if form is None or visit.service is None or visit.status == Status.CANCELLED:
            continue
        chance = 0 if visit.service.requires_questionnaires else random.random()
        if chance < BEGUN:
            yield _response(visit, form, now, random, is_done=chance < FULL)


def _response(
    visit: Appointment, form: Questionnaire, now: datetime, random: Random, *, is_done: bool
) -> QuestionnaireResponse:
    """Return answers as the pages store them: with the questions' texts; without the last page if not `is_done`."""
    start, _ = _times(visit)
    items = questionnaires.items_of(form)
    given = ANSWERS[form.fhir_id](start.date(), random)
    entries = questionnaires.entries_of(items, given if is_done else given[:-1], questionnaires.UTC)
    return QuestionnaireResponse(
        last_updated=now,
        status=QuestionnaireResponse.Status.COMPLETED if is_done else QuestionnaireResponse.Status.IN_PROGRESS,
        questionnaire=form,
        patient_id=visit.patient_id,
        appointment=visit,
        authored=visit.created if is_done else None,
        item=questionnaires.fill(items, entries, questionnaires.UTC).as_items(),
    )


def _acceptance(visit: Appointment, at: datetime) -> AppointmentResponse:
    """Return the patient's acceptance, as an app of the patient would send it."""
    assert visit.patient is not None  # the demo's visits all have one
    return AppointmentResponse(
        last_updated=at,
        appointment=visit,
        actor={"reference": visit.patient.reference, "display": str(visit.patient)},
        participant_status=AppointmentResponse.Status.ACCEPTED,
    )


def _confirmations(visit: Appointment) -> Iterator[Communication]:
    """The confirmation that was sent when the visit was booked."""
    audience = audience_of(visit, now=visit.created)
    if audience is None:
        return
    sent = visit.created + MINUTE
    for medium in audience.media(Event.CONFIRMATION):
        for address in audience.addresses(medium):
            message = _message(visit, Event.CONFIRMATION, medium, address, visit.created)
            letter = compose(message, audience.zone, now=sent)
            message.status = Communication.Status.COMPLETED
            message.subject, message.body = letter.subject, letter.body
            message.sent = message.received = sent
            yield message


def _failures(coming: Sequence[Appointment], now: datetime) -> Iterator[Communication]:
    """Confirmations that somebody did not get, of the next visits from tomorrow on: the desk is to call them."""
    silent = [each for each in coming if _times(each)[0] > now + DAY and each.attendance_confirmed is None]
    first = {each.patient: each for each in sorted(silent, key=_times, reverse=True)}  # of each patient
    for visit, (medium, why) in zip(sorted(first.values(), key=_times), LOST, strict=False):
        assert visit.patient is not None  # the demo's visits all have one
        address = visit.patient.phone if medium == Medium.SMS else visit.patient.email
        message = _message(visit, Event.CONFIRMATION, medium, address, visit.created)
        message.status, message.status_reason = Communication.Status.NOT_DONE, why
        yield message


def _message(visit: Appointment, event: Event, medium: Medium, address: str, due: datetime) -> Communication:
    return Communication(
        last_updated=due,
        event=event,
        medium=medium,
        occasion=f"{visit.sequence}",
        patient_id=visit.patient_id,
        appointment=visit,
        address=address,
        language=visit.patient.language if visit.patient else "",
        due=due,
        attempts=1,
    )


def _times(visit: Appointment) -> tuple[datetime, datetime]:
    assert visit.start is not None  # the demo's visits all have times
    assert visit.end is not None
    return visit.start, visit.end
