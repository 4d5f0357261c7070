"""The facts of a visit as a message states them: the values of placeholders, the lines and the links of an email."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import money, phones
from clinic.local_time import in_zone, later
from clinic.models import Appointment, Communication, Event, HealthcareService, Slot
from clinic.time_text import clock, differ, in_full, in_full_on_day, in_short, in_short_on_day, length
from clinic.translations import text_of
from scheduling.facts import VisitFacts, zone_in
from scheduling.notifications import links
from scheduling.notifications.delays import lateness_in
from scheduling.notifications.series import visits_of

Json = dict[str, Any]

ABOUT_MONEY = (Event.RECEIPT, Event.REFUND, Event.TIME_LOST, Event.FEE)  # true whatever becomes of the visit


class Fact(NamedTuple):
    """A labelled line of an email."""

    label: str
    value: str
    address: str = ""  # of the link on the value


class Section(NamedTuple):
    """A heading with a paragraph."""

    heading: str
    text: str


class Action(NamedTuple):
    """A link of an email to something the patient can do."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class VisitMessage(VisitFacts):
    """The facts of a visit as a message of one event states them."""

    event: str
    now: datetime
    before: Json | None = None
    series: tuple[Appointment, ...] = ()  # of a message about several visits, all of them
    amount: str = ""  # that is paid, given back, or charged as a fee
    rest: str = ""  # that is still due after a payment
    others: tuple["VisitMessage", ...] = ()  # the later visits of the same day that it is about too

    @property
    def times(self) -> tuple[datetime, datetime]:
        return self.start, self.end

    @property
    def old_when(self) -> str:
        """The time before the move, or the one that was requested, by the clock at the visit's place.

        Empty if the time is the same.
        """
        if self.event not in (Event.CHANGE, Event.SUGGESTION, Event.OFFER):
            return ""
        before = self.before or (None if self.is_offered else self._last_let_go())
        if before is None:
            return ""
        start, end = datetime.fromisoformat(before["start"]), datetime.fromisoformat(before["end"])
        zone = ZoneInfo(before["zone"])
        is_other = (start, end) != self.times or differ(start, self.zone, zone)
        return in_full(start, end, zone) if is_other else ""

    @property
    def old_service(self) -> str:
        """The name of the service before the move; empty if it is the same, or if either must not be named."""
        key = (self.before or {}).get("service") if self.event == Event.CHANGE else None
        if key is None or key == self.appointment.service_id or not self.is_named:
            return ""
        service = HealthcareService.objects.filter(pk=key, named_in_email=True).first()
        return text_of(service, "name") if service else ""

    def _last_let_go(self) -> Json | None:
        """The time before the last move, read from the released Slots, for messages that do not store it."""
        let_go = Slot.objects.filter(appointment=self.appointment, deleted_at__isnull=False)
        slots = let_go.exclude(status=Slot.Status.BUSY_UNAVAILABLE).select_related("schedule__site")
        slot = slots.order_by("-deleted_at", "-pk").first()
        if slot is None:
            return None
        site = slot.schedule.site
        zone = (site.timezone if site and not self.by_video else "") or self.zone.key
        return {"start": slot.start.isoformat(), "end": slot.end.isoformat(), "zone": zone}

    @property
    def is_named(self) -> bool:
        """True if the message may name the service and the practitioner."""
        return self.appointment.service is None or self.appointment.service.named_in_email

    @property
    def own_clock(self) -> str:
        """The time in the patient's own zone for a video visit, if clocks there show another time."""
        patient = self.appointment.patient if self.by_video else None
        theirs = zone_in(patient.extra) if patient else None
        if theirs is None or not differ(self.start, self.zone, theirs):
            return ""
        return in_full(*self.times, theirs)

    @property
    def deadline(self) -> str:
        """The last moment at which the patient can change the visit online; empty if they cannot."""
        if not self.can_be_cancelled(self.now):
            return ""
        return in_short(self.changeable_until, self.zone)

    @property
    def is_suggested(self) -> bool:
        """True if the message is about a time that the clinic suggests in answer to a request."""
        return self.event == Event.SUGGESTION

    @property
    def is_offered(self) -> bool:
        """True if the message is about a time that came free for somebody on the waiting list."""
        return self.event == Event.OFFER

    @property
    def is_to_be_rebooked(self) -> bool:
        """True if the message is about a visit that the clinic cannot keep."""
        return self.event == Event.REBOOKING

    @property
    def held_until(self) -> str:
        """The last moment at which the patient can take a time that is held for them; empty for other messages."""
        is_held = self.is_suggested or self.is_offered
        expires = self.appointment.hold_expires_at if is_held else None
        if self.is_to_be_rebooked and self.before:
            expires = datetime.fromisoformat(self.before["until"])
        return in_short(in_zone(expires, self.zone), self.zone) if expires else ""

    @property
    def link(self) -> str:
        """The address of the visit's page for the recipient."""
        if self.event == Event.STAFF_REQUEST:
            return links.staff_link(self.appointment)
        if self.is_offered and self.appointment.suggested_for is not None:
            return links.waitlist_link(self.appointment.suggested_for)
        return links.manage_link(self.appointment.suggested_for or self.appointment)

    @property
    def only_service(self) -> HealthcareService | None:
        """The service of all the visits; None if there are several."""
        services = {visit.appointment.service_id for visit in (self, *self.others)}
        return self.appointment.service if len(services) == 1 else None

    def values(self) -> dict[str, str]:
        """The values of the placeholders in wordings."""
        starts = [visit.start for visit in (self, *self.others)]
        when = in_full_on_day(starts, self.zone) if self.others else in_full(*self.times, self.zone)
        time = in_short_on_day(starts, self.zone) if self.others else in_short(self.start, self.zone)
        when = self._with_others(when)
        return {
            "name": self.given,
            "when": when,
            "time": self._with_others(time),
            "old_when": self.old_when or when,
            "place": self._of_all(lambda visit: visit.place),
            "link": self.link,
            "clinic": settings.CLINIC_NAME,
            "phone": self.phone,
            "service": self._of_all(lambda visit: visit.name if visit.is_named else _("Visit")),
            "with_whom": self._of_all(lambda visit: visit.with_whom if visit.is_named else settings.CLINIC_NAME),
            "preparation": self._of_all(lambda visit: visit.preparation if visit.is_named else ""),
            "reference": self._of_all(lambda visit: visit.reference),
            "deadline": self.deadline,
            "until": self.held_until,
            "notice": (self.before or {}).get("notice", ""),
            "expected": self.expected,
            "amount": self.amount,
            "rest": self.rest,
        }

    @property
    def expected(self) -> str:
        """The time at which a visit that is late is expected to begin; empty for other messages."""
        if self.event != Event.DELAY:
            return ""
        late = lateness_in(self.before)
        return in_short(in_zone(later(self.start.astimezone(UTC), late), self.zone), self.zone)

    def _of_all(self, value: Callable[["VisitMessage"], str]) -> str:
        """The values of all visits of the message, each once."""
        if not self.others:
            return value(self)
        return ", ".join(dict.fromkeys(filter(None, map(value, (self, *self.others)))))

    def with_links(self, text: str) -> str:
        """A text message with the link to its visit, or with a line for each of its visits."""
        if not self.others:
            return text if self.link in text else f"{text} {self.link}"
        return "\n".join([text, *(f"{clock(visit.start)}: {visit.link}" for visit in (self, *self.others))])

    def _with_others(self, time: str) -> str:
        """The time of the first visit, and the number of the others that the message is about."""
        others = len(self.series) - 1
        if others < 1:
            return time
        text = ngettext("%(time)s and %(count)s more visit", "%(time)s and %(count)s more visits", others)
        return text % {"time": time, "count": others}

    def _times_of_series(self) -> list[Section]:
        """The times of all visits that the message is about; none if it is about one."""
        if len(self.series) < 2:
            return []
        heading = _("All cancelled visits") if self.event == Event.CANCELLATION else _("All visits")
        return [Section(heading, "\n".join(map(self._line, self.series)))]

    def _line(self, appointment: Appointment) -> str:
        """The time of a visit; of a combined one also what it is, with whom and for whom, if that may be said."""
        visit = VisitFacts(appointment, self.zone)
        time = in_full(visit.start, visit.end, self.zone)
        if not appointment.is_combined:
            return time
        is_named = appointment.service is None or appointment.service.named_in_email
        what = [visit.name, visit.with_whom] if is_named else []
        for_whom = _("for %(name)s") % {"name": visit.given} if self._are_of_several_patients else ""
        return ", ".join(filter(None, (time, *what, for_whom)))

    @property
    def _are_of_several_patients(self) -> bool:
        return len({each.patient_id for each in self.series}) > 1

    def facts(self) -> list[Fact]:
        """The lines of an email, as on the page of the booked visit."""
        lines = [
            Fact(_("For"), "" if self.event == Event.STAFF_REQUEST else self.given),
            Fact(_("Visit"), self.name if self.is_named and self.appointment.service else ""),
            Fact(_("When"), in_full(*self.times, self.zone)),
            Fact(_("Where you are"), self.own_clock),
            Fact(_("Expected to begin"), self.expected),
            Fact(
                self._old_label,
                ", ".join(filter(None, (self.old_service, self.old_when))),
            ),
            Fact(_("Series"), self.series_position),
            Fact(_("How long"), length(self.duration)),
            Fact(_("With"), self.with_whom if self.is_named else ""),
            Fact(_("Where"), self.place),
            Fact(_("Price"), self.price if self.is_named and self.event != Event.CANCELLATION else ""),
            Fact(_("Amount"), self.amount if self.event == Event.RECEIPT else ""),
            Fact(_("Still due"), self.rest),
            Fact(_("Payment"), "" if self.event == Event.TIME_LOST else self.payment),
            Fact(_("Reference"), self.reference),
            Fact(_("Phone"), self.phone, phones.link(self.phone)),
        ]
        return [line for line in lines if line.value]

    def _other_visits(self) -> list[Section]:
        """The facts of the later visits of the day."""
        return [
            Section(
                in_full(*visit.times, visit.zone),
                "\n".join(f"{fact.label}: {fact.value}" for fact in visit.facts() if fact.label in _of_each_visit()),
            )
            for visit in self.others
        ]

    @property
    def _old_label(self) -> str:
        if self.is_offered:
            return _("Booked now")
        return _("Requested") if self.is_suggested else _("Before")

    def sections(self) -> list[Section]:
        """The paragraphs of an email: preparation, video, and until when the visit can be changed."""
        if self.event in (Event.CANCELLATION, Event.STAFF_REQUEST):
            return self._times_of_series()
        if self.event in ABOUT_MONEY:
            return []
        sections = [
            *self._times_of_series(),
            *self._other_visits(),
            Section(_("How to prepare"), self.preparation if self.is_named else ""),
            Section(_("Join by video"), _("The page of your visit leads to the video room.") if self.by_video else ""),
            Section(_("If something changes"), "" if self.held_until else self.policy(self.now)),
        ]
        return [section for section in sections if section.text]

    def all_actions(self) -> list[Action]:
        """The links of an email that apply to its visits, with the time of each if there are several."""
        if not self.others:
            return self.actions()
        return [
            Action(f"{clock(visit.start)}: {action.label}", action.address)
            for visit in (self, *self.others)
            for action in visit.actions()
        ]

    def actions(self) -> list[Action]:
        """The links of an email that apply to the visit."""
        link = self.link
        if self.event == Event.STAFF_REQUEST:
            return [Action(_("Accept or decline"), link)]
        if self.is_suggested:
            return [Action(_("Accept or refuse the time"), f"{link}#suggestion")]
        if self.is_to_be_rebooked:
            return [Action(_("Choose another time"), f"{link}#times")]
        if self.is_offered:
            return [Action(_("Take the time, or let it pass"), link)]
        see = Action(_("See the visit"), link)
        if self.event == Event.TIME_LOST and self.appointment.service is not None:
            return [Action(_("Book another time"), links.booking_link(self.appointment.service)), see]
        if self.event == Event.CANCELLATION:
            return [Action(_("Book another time"), links.absolute("/")), see]
        if not self.is_booked or self.event in ABOUT_MONEY:
            return [see]
        come = Action(_("I will come"), f"{link}#confirm")
        join = [Action(_("Join by video"), link)] if self.by_video else []
        if self.has_check_in:
            join = [Action(_("Check in on the day"), links.check_in_link(self.appointment))]
        if self.can_be_moved(self.now):
            return [*join, come, Action(_("Move or cancel the visit"), f"{link}#cancel")]
        if self.can_be_cancelled(self.now):
            return [*join, come, Action(_("Cancel the visit"), f"{link}#cancel")]
        return [*join, come, see]


def _of_each_visit() -> tuple[str, ...]:
    """The labels of the facts that differ between the visits of a day."""
    return (_("Visit"), _("How long"), _("With"), _("Where"), _("Price"), _("Payment"), _("Reference"))


def visits_message(
    message: Communication, along: Sequence[Communication], zone: ZoneInfo, now: datetime
) -> VisitMessage:
    """The facts for this message and those that go along with it, in the order of the visits."""
    visits = [(each, each.appointment) for each in (message, *along)]
    messages = [_visit_message(each, visit, zone, now) for each, visit in visits if visit is not None]
    first, *others = sorted(messages, key=lambda each: each.start)
    return replace(first, others=tuple(others)) if others else first


def _visit_message(message: Communication, appointment: Appointment, zone: ZoneInfo, now: datetime) -> VisitMessage:
    """The facts for this message. A cancellation states the time that the patient last heard of."""
    known = message.before or {}
    if message.event == Event.CANCELLATION and "start" in known:
        appointment.start = datetime.fromisoformat(known["start"])  # only for this message, never saved
        appointment.end = datetime.fromisoformat(known["end"])
        zone = ZoneInfo(known["zone"])
    series = tuple(visits_of(message, now=now))
    before = known if "start" in known or message.event in (Event.DELAY, Event.REBOOKING) else None
    amount = money.text(known["amount"], known["currency"]) if "amount" in known else ""
    rest = (money.text(known["rest"], known["currency"]) if known["rest"] else _("nothing")) if "rest" in known else ""
    return VisitMessage(appointment, zone, message.event, now, before, series, amount, rest)
