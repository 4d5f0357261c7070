"""Payments for visits: what is paid before booking, the card that is kept for a missed visit, and what is given back.

Amounts are in the minor unit of the payment's currency. Card data is with the payment provider only.
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.labels import Choices


class Payment(models.Model):
    """A payment for one visit or several, or a card that is kept for a fee.

    It is made before its visits are booked, or later for what is still due (`LATER`). `reference` names it
    in addresses and at the provider. `terms` are the words that were agreed to, as they were
    read. `session`, `intent`, `customer` and `card` are the provider's ids. Until `expires_at` it can be paid.
    """

    class Purpose(Choices):
        """The kinds of payment before a visit is booked, and those that follow it."""

        WHOLE = "whole", "The whole price"
        DEPOSIT = "deposit", "A deposit"
        CARD = "card", "A card, charged only for a missed visit"
        BALANCE = "balance", "What was still to be paid"
        FEE = "fee", "The fee for a missed visit"

    class Status(Choices):
        CREATED = "created", "Begun"
        PAYING = "paying", "Being paid"
        AUTHORISED = "authorised", "Reserved on the card"
        PAID = "paid", "Paid"
        KEPT = "kept", "Card kept"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Not paid in time"
        RELEASED = "released", "Card not charged"
        PARTLY_REFUNDED = "partly-refunded", "Partly refunded"
        REFUNDED = "refunded", "Refunded"
        WAIVED = "waived", "Waived"
        CHARGED = "charged", "Fee charged"

    LATER = (Purpose.BALANCE, Purpose.FEE)

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="payments")
    appointments = models.ManyToManyField(
        "clinic.Appointment", through="clinic.PaymentItem", related_name="payments", editable=False
    )
    purpose = models.CharField(max_length=10, choices=Purpose)
    status = models.CharField(max_length=20, choices=Status, default=Status.CREATED)
    amount = models.PositiveIntegerField(default=0)
    refunded = models.PositiveIntegerField(default=0)
    fee = models.PositiveIntegerField(default=0, help_text="What may be charged for a missed visit.")
    currency = models.CharField(max_length=3)
    terms = models.TextField(blank=True)
    agreed = models.DateTimeField(null=True, blank=True, help_text="When the terms were agreed to.")
    reason = models.TextField(blank=True, help_text="Why it was waived, or failed.")
    session = models.CharField(max_length=200, blank=True, editable=False, db_index=True)
    url = models.TextField(blank=True, editable=False)
    intent = models.CharField(max_length=200, blank=True, editable=False)
    customer = models.CharField(max_length=200, blank=True, editable=False)
    card = models.CharField(max_length=200, blank=True, editable=False)
    created = models.DateTimeField()
    last_updated = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    checked = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created", "-pk"]
        indexes = [
            models.Index(fields=["created"], name="payment_open", condition=Q(status__in=["created", "paying"])),
        ]
        constraints = [
            models.CheckConstraint(name="payment_refunds_no_more_than_paid", condition=Q(refunded__lte=F("amount"))),
        ]

    def __str__(self) -> str:
        return f"{self.patient}, {self.get_status_display()}"

    @property
    def is_open(self) -> bool:
        """True if it can still be paid, as far as this row knows."""
        return self.status in (self.Status.CREATED, self.Status.PAYING)

    @property
    def is_later(self) -> bool:
        """True if it is for what was still due once its visit was booked."""
        return self.purpose in self.LATER

    @property
    def has_money(self) -> bool:
        """True if the clinic has money of it, or has it reserved on the card."""
        return self.status in (self.Status.AUTHORISED, self.Status.PAID, self.Status.PARTLY_REFUNDED)


class PaymentItem(models.Model):
    """The share of a payment for one of its visits."""

    payment = models.ForeignKey(Payment, models.CASCADE, related_name="items")
    appointment = models.ForeignKey("clinic.Appointment", models.PROTECT, related_name="payment_items")
    amount = models.PositiveIntegerField()
    refunded = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "appointment"], name="payment_item_once"),
            models.CheckConstraint(name="item_refunds_no_more_than_paid", condition=Q(refunded__lte=F("amount"))),
        ]

    def __str__(self) -> str:
        return f"{self.payment}: {self.appointment}"


class PaymentOrder(models.Model):
    """An order to the payment provider, written with the change that needs it and carried out after the commit.

    `key` is its idempotency key there, so that it is carried out once however often it is sent. The orders of a payment
    are carried out one after another. One that the provider has refused waits on the worklist until it is given again,
    or until staff say that it is settled otherwise, such as in cash.
    """

    class Kind(Choices):
        CAPTURE = "capture", "Take the reserved amount"
        RELEASE = "release", "Release the reserved amount"
        REFUND = "refund", "Refund"
        FEE = "fee", "Charge the fee"
        FORGET = "forget", "Forget the card"

    class Status(Choices):
        WAITING = "waiting", "On its way"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        SETTLED = "settled", "Refused, settled otherwise"

    payment = models.ForeignKey(Payment, models.CASCADE, related_name="orders")
    appointment = models.ForeignKey("clinic.Appointment", models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    amount = models.PositiveIntegerField(default=0)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField(blank=True)
    error = models.TextField(blank=True)
    created = models.DateTimeField()
    due = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0)
    done = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["due"], name="payment_order_due", condition=Q(status="waiting")),
            models.Index(fields=["payment"], name="payment_order_refused", condition=Q(status="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.payment}"


class DeskPayment(models.Model):
    """Money that was taken at the desk for a visit, in cash or by card terminal, with who took it.

    It is never changed or deleted. A wrong one is corrected by a counter entry: another row with the negative amount,
    which `corrects` it, and the reason. `key` is given by the form, so that one that is sent twice is stored once.
    """

    class Method(Choices):
        CASH = "cash", _("Cash")
        CARD = "card", _("Card terminal")

    appointment = models.ForeignKey("clinic.Appointment", models.PROTECT, related_name="desk_payments")
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="desk_payments")
    site = models.ForeignKey("clinic.Location", models.PROTECT, null=True, related_name="+", db_index=False)
    method = models.CharField(max_length=10, choices=Method)
    amount = models.IntegerField()
    currency = models.CharField(max_length=3)
    receipt = models.CharField(max_length=50, blank=True)
    taken = models.DateTimeField(db_index=True)
    taken_by = models.ForeignKey("clinic.User", models.PROTECT, null=True, related_name="+", db_index=False)
    corrects = models.OneToOneField("self", models.PROTECT, null=True, related_name="correction")
    reason = models.TextField(blank=True)
    key = models.UUIDField(unique=True, editable=False)

    class Meta:
        ordering = ["taken", "pk"]
        constraints = [
            models.CheckConstraint(
                name="desk_payment_or_counter_entry",
                condition=Q(corrects=None, amount__gt=0) | (Q(corrects__isnull=False, amount__lt=0) & ~Q(reason="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.patient}, {self.get_method_display()}"
