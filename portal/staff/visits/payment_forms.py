"""Forms for payments of a visit: what was taken at the desk, refund, waive, charge the fee, settle otherwise."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import money
from clinic.models import Appointment, DeskPayment
from portal.common.callers import caller_of
from portal.staff.visits.record import PaymentRecord
from scheduling import booking
from scheduling.booking import DeskPaymentRequest, PaymentOptions
from scheduling.errors import SchedulingError
from scheduling.payments import Balance

DONE = {
    "refund": gettext_lazy("The money is on its way back to the card, and the patient is told."),
    "waive": gettext_lazy("Waived. The patient owes nothing for this visit."),
    "settle": gettext_lazy("Noted as settled."),
    "take": gettext_lazy("The payment is recorded."),
    "correct": gettext_lazy("Corrected by a counter entry. Record what was really paid, if anything was."),
    "fee": gettext_lazy("The fee is being charged. The patient is told once the card was charged."),
}


class ReasonForm(forms.Form):
    """Form with the reason for a decision about a payment."""

    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        help_text=gettext_lazy("It is saved with the visit. The patient does not see it."),
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": gettext_lazy("Enter the reason.")},
    )


class RefundForm(ReasonForm):
    """Form with the amount of a refund, in the currency of the payment, and its reason."""

    field_order = ("amount", "reason")
    amount = forms.DecimalField(
        label=gettext_lazy("How much is refunded?"),
        error_messages={
            "required": gettext_lazy("Enter an amount."),
            "invalid": gettext_lazy("Enter an amount such as 20.00."),
        },
    )

    def __init__(self, *args: Any, options: PaymentOptions, **more: Any) -> None:
        super().__init__(*args, **more)
        self.options = options
        most = money.text(options.refundable, options.currency)
        self.fields["amount"].help_text = _("%(most)s at most.") % {"most": most}
        self.fields["amount"].initial = money.decimal_of(options.refundable, options.currency)

    def clean_amount(self) -> int:
        """Return the amount in minor units."""
        try:
            amount = money.amount_of(self.cleaned_data["amount"], self.options.currency)
        except ValueError:
            amount = 0
        if not 0 < amount <= self.options.refundable:
            most = money.text(self.options.refundable, self.options.currency)
            raise forms.ValidationError(_("Enter an amount up to %(most)s.") % {"most": most})
        return amount


class TakeForm(forms.Form):
    """Form with what was taken at the desk: the amount in the clinic's currency, how, and the receipt."""

    amount = forms.DecimalField(
        label=gettext_lazy("How much was paid?"),
        error_messages={
            "required": gettext_lazy("Enter an amount."),
            "invalid": gettext_lazy("Enter an amount such as 20.00."),
        },
    )
    method = forms.ChoiceField(
        label=gettext_lazy("How?"),
        choices=DeskPayment.Method.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how it was paid.")},
    )
    receipt = forms.CharField(label=gettext_lazy("Number of the receipt"), required=False, max_length=50)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, balance: Balance, **more: Any) -> None:
        super().__init__(*args, **more)
        self.currency = balance.currency
        self.fields["key"].initial = uuid4()
        if balance.is_open:
            self.fields["amount"].initial = money.decimal_of(balance.open, balance.currency)

    def clean_amount(self) -> int:
        """Return the amount in minor units."""
        try:
            amount = money.amount_of(self.cleaned_data["amount"], self.currency)
        except ValueError:
            amount = 0
        if amount <= 0:
            raise forms.ValidationError(_("Enter an amount such as 20.00."))
        return amount


class CorrectForm(ReasonForm):
    """Form with the entry that was wrong, and why."""

    field_order = ("payment", "reason")
    payment = forms.ChoiceField(
        label=gettext_lazy("Which entry was wrong?"),
        error_messages={"required": gettext_lazy("Choose the entry.")},
    )

    def __init__(self, *args: Any, entries: Sequence[DeskPayment], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["payment"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(each.pk), _words_of(each)) for each in entries]


def _words_of(entry: DeskPayment) -> str:
    words = (money.text(entry.amount, entry.currency), str(entry.get_method_display()), entry.receipt)
    return ", ".join(filter(None, words))


def forms_for(request: HttpRequest, record: PaymentRecord, action: str) -> dict[str, forms.Form]:
    """The forms for what can be done, by action. Only the one that was sent is bound."""
    data: dict[str, Any] = {action: request.POST} if request.method == "POST" else {}
    made: dict[str, forms.Form] = {}
    options = record.options
    if record.can_take:
        made["take"] = TakeForm(data.get("take"), balance=record.balance, auto_id="take_%s")
    if record.correctable:
        made["correct"] = CorrectForm(data.get("correct"), entries=record.correctable, auto_id="correct_%s")
    if options.refundable:
        made["refund"] = RefundForm(data.get("refund"), options=options, auto_id="refund_%s")
    if options.fee:
        made["fee"] = ReasonForm(data.get("fee"), auto_id="fee_%s")
    if options.can_waive:
        made["waive"] = ReasonForm(data.get("waive"), auto_id="waive_%s")
    if options.is_refused:
        made["settle"] = ReasonForm(data.get("settle"), auto_id="settle_%s")
    return made


def decide(request: HttpRequest, appointment: Appointment, action: str, form: forms.Form, now: datetime) -> bool:
    """Do what was decided, and say so. Returns False with an error in the form if it is refused."""
    given, caller = form.cleaned_data, caller_of(request)
    reason = given.get("reason", "")
    decisions: dict[str, Callable[[], object]] = {
        "refund": lambda: booking.refund(
            appointment.fhir_id, form.cleaned_data["amount"], reason, caller=caller, now=now
        ),
        "fee": lambda: booking.charge_fee(appointment.fhir_id, reason, caller=caller, now=now),
        "waive": lambda: booking.waive(appointment.fhir_id, reason, caller=caller, now=now),
        "settle": lambda: booking.settle(appointment.fhir_id, reason, caller=caller, now=now),
        "take": lambda: booking.take_at_desk(appointment.fhir_id, DeskPaymentRequest(**given), caller=caller, now=now),
        "correct": lambda: booking.correct_at_desk(
            appointment.fhir_id, int(given["payment"]), reason, caller=caller, now=now
        ),
    }
    try:
        decisions[action]()
    except SchedulingError as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, str(DONE[action]))
    return True
