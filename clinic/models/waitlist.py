"""The models FreedTime, WaitlistOffer and WaitlistCall: time that came free, and who of the waiting list was offered it
or called.

An entry of the waiting list is an Appointment with the status `waitlist`: see clinic.fhir.waitlist.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices

NOTE_LENGTH = 200


class FreedTime(models.Model):
    """Time that came free while somebody was waiting: of one bookable, or new hours of a schedule or service.

    Triggers of the database write these rows, in the transaction of the change: see the migration `waitlist`. Those of
    kept time that is released as time goes by are written by a worker: scheduling.opening.released_time.
    `appointment` is the visit or hold that released the time; `was_booked` is True for a visit. `before` are the
    former hours, by column, where hours were added. A worker looks at the row from `due` on. Without `due` it waits
    until somebody who could not be asked can be; once it is `closed`, nobody is left to ask.
    """

    bookable = models.ForeignKey("clinic.Bookable", models.CASCADE, null=True, related_name="+", db_index=False)
    schedule = models.ForeignKey("clinic.Schedule", models.CASCADE, null=True, related_name="+", db_index=False)
    service = models.ForeignKey("clinic.HealthcareService", models.CASCADE, null=True, related_name="+", db_index=False)
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)
    appointment = models.ForeignKey("clinic.Appointment", models.CASCADE, null=True, related_name="+", db_index=False)
    was_booked = models.BooleanField(default=False, db_default=False)
    before = models.JSONField(null=True)
    freed = models.DateTimeField(db_index=True)
    due = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    closed = models.DateTimeField(null=True)

    class Meta:
        ordering = ["freed", "pk"]
        indexes = [models.Index(fields=["due", "id"], name="freed_time_open", condition=Q(closed__isnull=True))]

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


class WaitlistOffer(models.Model):
    """A time that is held for one entry of the waiting list, or was.

    The time is a real hold: the Appointment `hold`, which answers the entry as a suggestion answers a request. `rule`
    is the order by which the entry was the first, and `passed` names the entries before it with the reason why they
    were not asked.
    """

    class Outcome(Choices):
        OPEN = "open", "Waiting for an answer"
        TAKEN = "taken"
        DECLINED = "declined"
        LAPSED = "lapsed", "Not answered in time"
        GONE = "gone", "Withdrawn"

    entry = models.ForeignKey("clinic.Appointment", models.PROTECT, related_name="waitlist_offers")
    hold = models.OneToOneField("clinic.Appointment", models.PROTECT, related_name="waitlist_offer")
    freed = models.ForeignKey(FreedTime, models.SET_NULL, null=True, related_name="offers")
    start = models.DateTimeField()
    end = models.DateTimeField()
    offered = models.DateTimeField(db_index=True)
    expires = models.DateTimeField()
    answered = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.OPEN)
    rule = models.CharField(max_length=10)
    passed = ExactJSONField(default=list)

    class Meta:
        ordering = ["-offered", "-pk"]
        indexes = [models.Index(fields=["expires"], name="waitlist_offer_open", condition=Q(outcome="open"))]
        constraints = [
            models.UniqueConstraint(fields=["entry"], name="waitlist_offer_one_at_a_time", condition=Q(outcome="open")),
            ExclusionConstraint(
                name="waitlist_never_asked_twice",
                expressions=[
                    (
                        Func(
                            F("entry"),
                            F("entry"),
                            Value("[]"),
                            function="int8range",
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(F("start"), F("end"), function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=~Q(outcome="gone"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry}: {self.start}"


class WaitlistCall(models.Model):
    """A call to a patient on the waiting list that staff have noted: who called, when, and what came of it.

    `note` is for staff only.
    """

    class Outcome(Choices):
        NO_ANSWER = "no-answer", _("No answer")
        MESSAGE_LEFT = "message-left", _("Left a message")
        THINKS = "thinks", _("Will call back")
        DECLINED = "declined", _("Does not want the time")
        ACCEPTED = "accepted", _("Takes the time")
        OTHER = "other", _("Something else")

    entry = models.ForeignKey("clinic.Appointment", models.CASCADE, related_name="waitlist_calls")
    outcome = models.CharField(max_length=12, choices=Outcome)
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    called = models.DateTimeField(db_index=True)
    called_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["-called", "-pk"]

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_outcome_display()}"
