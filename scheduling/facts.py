"""The facts of a visit, derived once for pages, mails, text messages and calendar files.

They are its time and zone, place, practitioners, service, preparation and reference, the deadline for changes online,
and the phone number for questions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic import addresses, money, payment_text, time_text, visit_place
from clinic.fhir.codes import TIMEZONE
from clinic.local_time import in_zone, later
from clinic.models import Appointment, Location
from clinic.translations import Sentence, TranslatedText, text_of
from clinic.zones import zone_named
from scheduling.participants import participant_names, room_names

Status = Appointment.Status


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """The facts of an appointment that has a time. Times are local to `zone`."""

    appointment: Appointment
    zone: ZoneInfo

    @property
    def id(self) -> str:
        return self.appointment.fhir_id

    @property
    def reference(self) -> str:
        """The short reference, which people can read out on the phone."""
        return self.id.replace("-", "")[:8].upper()

    @property
    def start(self) -> datetime:
        assert self.appointment.start is not None  # appointment_has_time; pages and messages leave out the rest
        return in_zone(self.appointment.start, self.zone)

    @property
    def end(self) -> datetime:
        assert self.appointment.end is not None  # appointment_takes_time
        return in_zone(self.appointment.end, self.zone)

    @property
    def duration(self) -> timedelta:
        return self.end.astimezone(UTC) - self.start.astimezone(UTC)

    @property
    def name(self) -> str:
        """The name of the service."""
        return text_of(self.appointment.service, "name") or _("Visit")

    @property
    def price(self) -> str:
        """The price of the service in words; empty if the clinic does not say it."""
        return money.price_text(self.appointment.service)

    @property
    def payment(self) -> str:
        """The payment for the visit in words; empty if nothing was paid. One query for a visit that has a payment."""
        return payment_text.payment_text(self.appointment)

    @property
    def series_position(self) -> str:
        """The number of the visit in its series, such as "2 of 6"; empty if it is in none."""
        visit = self.appointment
        if visit.occurrence is None:
            return ""
        return _("%(number)s of %(count)s") % {"number": visit.occurrence, "count": visit.occurrences}

    @property
    def with_whom(self) -> str:
        """The names of the practitioners, as in the appointment's participants."""
        return ", ".join(participant_names(self.appointment, "Practitioner"))

    @property
    def room(self) -> TranslatedText:
        """The rooms, in the reader's language."""
        return room_names(self.appointment)

    @property
    def by_video(self) -> bool:
        return visit_place.is_by_video(self.appointment)

    @property
    def site(self) -> Location | None:
        """The site that the patient goes to; None for a visit by video."""
        return visit_place.site_to_go_to(self.appointment)

    @property
    def where(self) -> str:
        """The site and its town; empty for a visit by video."""
        return visit_place.site_and_town(self.site) if self.site else ""

    @property
    def place(self) -> str:
        """The site, the room and the address on one line, or that the visit is by video; empty without a site."""
        site = self.site
        if self.by_video:
            return _("By video")
        if site is None:
            return ""
        rooms = self.room if self.room not in (site.name, text_of(site, "name")) else ""
        parts = {"site": text_of(site, "name"), "rooms": rooms, "address": addresses.on_one_line(site)}
        known = {name: part for name, part in parts.items() if part}
        return Sentence(", ".join(f"%({name})s" for name in known), **known)

    @property
    def language_of_place(self) -> str:
        """The language of `place`, by the name of the site."""
        return text_of(self.site, "name").language if self.site else get_language() or settings.LANGUAGE_CODE

    @property
    def patient_name(self) -> str:
        return str(self.appointment.patient or "")

    @property
    def given(self) -> str:
        """The patient's given name, or the only one: all that a message says of who it is for."""
        patient = self.appointment.patient
        return (patient.given or str(patient)) if patient else ""

    @property
    def preparation(self) -> str:
        """The clinic's text on how to prepare for the visit."""
        return text_of(self.appointment.service, "preparation")

    @property
    def phone(self) -> str:
        """The phone number for questions about the visit: the site's, else the clinic's."""
        return visit_place.phone_of(self.appointment.site)

    @property
    def is_request(self) -> bool:
        """True if the patient has asked for this time and the clinic has not accepted it yet."""
        return self.appointment.is_request

    @property
    def is_booked(self) -> bool:
        return self.appointment.status == Status.BOOKED

    @property
    def is_promised(self) -> bool:
        """True if the visit is booked or requested, so that its time is kept until somebody cancels it."""
        return self.is_booked or self.is_request

    @property
    def asks_first(self) -> bool:
        """True if visits of this service are requested, and the clinic must accept them."""
        return bool(self.appointment.service and self.appointment.service.on_request)

    @property
    def waits_for_the_clinic(self) -> bool:
        """True if the clinic must accept the visit: it is a request, or a hold that becomes one when confirmed."""
        return self.is_request or (self.asks_first and self.appointment.status == Status.PENDING)

    @property
    def notice(self) -> timedelta:
        return self.appointment.service.cancellation_notice if self.appointment.service else timedelta(0)

    @property
    def changeable_until(self) -> datetime:
        """The last moment at which the patient can cancel online: the start of the visit if it is not accepted yet."""
        if self.waits_for_the_clinic:
            return self.start
        return in_zone(later(self.start.astimezone(UTC), -self.notice), self.zone)  # the clocks may change in between

    def can_be_cancelled(self, now: datetime) -> bool:
        """True if the patient can still cancel the visit online."""
        return self.is_promised and now <= self.changeable_until

    def can_be_moved(self, now: datetime) -> bool:
        """True if the patient can move the visit online, which they cannot if the clinic has accepted a request."""
        return self.can_be_cancelled(now) and not (self.is_booked and self.asks_first)

    @property
    def has_check_in(self) -> bool:
        """True if the patient can say online that they are here: not for a visit by video."""
        service = self.appointment.service
        return service is not None and service.check_in_before is not None and not self.by_video

    @property
    def check_in_opens(self) -> datetime:
        """The first moment at which the patient can check in online. Only for a visit that `has_check_in`."""
        assert self.appointment.service is not None
        assert self.appointment.service.check_in_before is not None
        return in_zone(later(self.start.astimezone(UTC), -self.appointment.service.check_in_before), self.zone)

    @property
    def check_in_closes(self) -> datetime:
        """The last moment at which the patient can check in online. Only for a visit that `has_check_in`."""
        assert self.appointment.service is not None
        return in_zone(later(self.start.astimezone(UTC), self.appointment.service.check_in_after), self.zone)

    def can_check_in(self, now: datetime) -> bool:
        """True if the patient can say now that they are here."""
        return self.is_booked and self.has_check_in and self.check_in_opens <= now <= self.check_in_closes

    def check_in_times(self, now: datetime) -> str:
        """Return the sentence that says when the patient can check in online, or what to do instead."""
        if not self.has_check_in:
            return _("Please tell the front desk that you are here.")
        if now <= self.check_in_closes:
            return _("You can check in from %(time)s on.") % {
                "time": time_text.in_short(self.check_in_opens, self.zone)
            }
        text = _("Online check-in closed at %(time)s. Please go to the front desk.")
        return text % {"time": time_text.in_short(self.check_in_closes, self.zone)}

    def policy(self, now: datetime) -> str:
        """Return the sentences that say until when the patient can cancel online, or whom to call if they cannot."""
        until, length = self.changeable_until, time_text.length(self.notice)
        can_be_promised = self.is_promised or self.appointment.status == Status.PENDING
        if can_be_promised and now <= until:
            if not self.notice or self.waits_for_the_clinic:
                return _("You can cancel until the visit begins.")
            text = _("You can cancel until %(length)s before the visit, that is until %(day)s, %(time)s (%(zone)s).")
            day, time, zone = time_text.short_day(until), time_text.clock(until), time_text.zone_name(self.zone)
            return text % {"length": length, "day": day, "time": time, "zone": zone}
        if can_be_promised and self.notice and now < self.start:
            text = _("Visits can be cancelled online until %(length)s before they begin, and this one begins sooner.")
            return f"{text % {'length': length}} {self.whom_to_call}"
        return f"{_('It can no longer be changed online.')} {self.whom_to_call}"

    @property
    def whom_to_call(self) -> str:
        """The sentence that says whom to call to cancel."""
        if self.phone:
            return _("If you cannot come, please call us: %(phone)s.") % {"phone": self.phone}
        return _("If you cannot come, please call the clinic.")


def zone_in(extra: Mapping[str, Any]) -> ZoneInfo | None:
    """Return the zone in FHIR's timezone extension, or None if there is none or it is unknown."""
    for extension in extra.get("extension", ()):
        name = extension.get("valueCode", "") if extension.get("url") == TIMEZONE else ""
        if name:
            try:
                return zone_named(name)
            except (ValueError, OSError):
                return None
    return None
