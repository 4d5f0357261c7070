"""Administration of payments, which can only be read: the visit's page for staff refunds, waives and charges."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from clinic import money
from clinic.admin.base import ModelAdmin, ReadOnlyAdmin, StackedInline
from clinic.models import DeskPayment, Payment, PaymentItem, PaymentOrder


class ItemInline(ReadOnlyAdmin, StackedInline):
    model = PaymentItem
    extra = 0
    fields = ("appointment", "amount", "refunded")


class OrderInline(ReadOnlyAdmin, StackedInline):
    model = PaymentOrder
    extra = 0
    fields = ("kind", "status", "amount", "created", "done", "attempts", "reason", "error")


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin, ModelAdmin):
    section = "Visits"
    place_in_section = 6
    list_display = ("patient", "purpose", "status", "sum", "created")
    list_filter = ("status", "purpose", "created")
    list_select_related = ("patient",)
    search_fields = ("=reference", "patient__family", "patient__given", "patient__fhir_id", "=session", "=intent")
    search_help_text = _("A patient, or an id of the payment provider.")
    inlines = (ItemInline, OrderInline)

    @admin.display(description=_("sum"), ordering="amount")
    def sum(self, payment: Payment) -> str:
        return money.text(payment.amount or payment.fee, payment.currency)


@admin.register(DeskPayment)
class DeskPaymentAdmin(ReadOnlyAdmin, ModelAdmin):
    section = "Visits"
    place_in_section = 7
    list_display = ("patient", "method", "sum", "receipt", "taken", "taken_by")
    list_filter = ("method", "taken")
    list_select_related = ("patient", "taken_by")
    search_fields = ("patient__family", "patient__given", "patient__fhir_id", "=receipt")
    search_help_text = _("A patient, or the number of a receipt.")

    @admin.display(description=_("sum"), ordering="amount")
    def sum(self, payment: DeskPayment) -> str:
        return money.text(payment.amount, payment.currency)
