"""Base classes for the administration of all resources."""

from datetime import MAXYEAR, MINYEAR
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Field, JSONField, Max, Min, Model, QuerySet, URLField
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from clinic import named_concepts
from clinic.admin import translations
from clinic.admin.fields import ElementsField, IdentifiersField, PayersField
from clinic.concept_fields import ConceptsField
from clinic.models import Resource
from clinic.phone_field import PhoneField

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    ModelAdmin: TypeAlias = admin.ModelAdmin[Any]
    StackedInline: TypeAlias = admin.StackedInline[Any, Any]
    ModelForm: TypeAlias = forms.ModelForm[Any]
else:
    ModelAdmin, StackedInline, ModelForm = admin.ModelAdmin, admin.StackedInline, forms.ModelForm

NUMBERS = _("A line for each: the address of its system, a space and the number, such as")
TRANSLATIONS = _("What patients read in that language. Empty: they read it as it is written above.")
RECORD = ("fhir_id", "version", "last_updated")
RECORD_SECTION: tuple[Any, Any] = (_("Record"), {"fields": RECORD, "classes": ("collapse",)})


# Sent with a saved `row` when its page is shown and after it is saved. Receivers for the row's model return remarks.
remarks_requested = Signal()


class Remark(NamedTuple):
    """A sentence about a row, with a link to another page where a problem can be solved."""

    text: str
    is_good: bool = False
    address: str = ""
    page: str = ""

    @property
    def html(self) -> SafeString:
        if not self.address:
            return format_html("{}", self.text)
        return format_html('{} <a href="{}">{}</a>', self.text, self.address, _("Open %(page)s") % {"page": self.page})


def remarks_on(row: Model) -> list[Remark]:
    answers: list[tuple[Any, Any]] = remarks_requested.send(type(row), row=row)
    return [remark for _, remarks in answers for remark in remarks]


def saved(resource: Resource) -> None:
    """Prepare a resource for saving: set the next version and the time of the change."""
    if resource.pk is not None:
        resource.version += 1
    resource.last_updated = timezone.now()


class ResourceAdmin(ModelAdmin):
    """The administration of a resource. Each save is a new version; a deleted row stays, so that reads answer 410.

    `related` are the related rows that `__str__` needs, in lists and choices. `fieldsets` need no section for RECORD.
    `section` and `place_in_section` are those of the first page: see clinic.admin_site.
    """

    related: ClassVar[tuple[str, ...]] = ()
    readonly_fields: ClassVar[tuple[str, ...]] = RECORD
    list_per_page = 50
    save_on_top = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Without a name, select_related would follow every foreign key.
        return super().get_queryset(request).filter(deleted_at=None).select_related(*self.related or (None,))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, without links to years and months if a row is in the year 1 or 9999.

        In the clinic's zone, PostgreSQL could put such a moment into a year that Python does not have.
        """
        changelist = super().get_changelist_instance(request)
        if column := changelist.date_hierarchy:
            ends = changelist.queryset.aggregate(first=Min(column), last=Max(column))
            if any(end is not None and end.year in (MINYEAR, MAXYEAR) for end in ends.values()):
                changelist.date_hierarchy = None
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the sections of the page, with translations, and with the record's id and version if it is saved."""
        fieldsets = list(super().get_fieldsets(request, obj))
        if names := tuple(translations.field_names(self._row(obj))):
            fieldsets.append((_("In other languages"), {"fields": names, "description": TRANSLATIONS}))
        return fieldsets if obj is None else [*fieldsets, RECORD_SECTION]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        if translations.field_names(self._row(obj)):
            options.setdefault("form", translations.translated_form(self.form, self._row(obj)))
        return super().get_form(request, obj, change, **options)

    def _row(self, obj: Model | None) -> Resource:
        return cast(Resource, obj or self.model())

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Return the entry for the history, with labels as the catalogs have them, to be read in any language."""
        labels = {}
        with override(None):
            for model in (self.model, *(formset.model for formset in formsets or ())):
                for column in (*model._meta.fields, *model._meta.many_to_many):
                    labels[str(capfirst(column.verbose_name))] = str(column.verbose_name)
        changes = super().construct_change_message(request, form, formsets, add)
        for change in changes:
            for details in change.values():
                if "fields" in details:
                    details["fields"] = [labels.get(label, label) for label in details["fields"]]
        return changes

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        if (field := element_field(db_field)) is not None:
            return field
        if db_field.name == "phone":
            return PhoneField(label=capfirst(db_field.verbose_name), required=False, help_text=db_field.help_text)
        if isinstance(db_field, URLField):
            options["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Resource, form: Any, change: bool) -> None:
        saved(obj)
        super().save_model(request, obj, form, change)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context["remarks"] = remarks_on(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self._remark(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self._remark(request, obj)
        return super().response_change(request, obj)

    def _remark(self, request: HttpRequest, row: Resource) -> None:
        """Show the remarks about a saved row, unless the row's own page comes next and shows them."""
        if "_continue" not in request.POST:
            for remark in remarks_on(row):
                self.message_user(request, remark.html, messages.SUCCESS if remark.is_good else messages.WARNING)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            if isinstance(row, Resource):
                saved(row)
            row.save()
        for row in formset.deleted_objects:
            row.delete()
        formset.save_m2m()

    def delete_model(self, request: HttpRequest, obj: Resource) -> None:
        saved(obj)
        obj.deleted_at = obj.last_updated
        obj.save()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for resource in queryset:
            self.delete_model(request, resource)


class ReadOnlyAdmin:
    """The administration of rows that only the product writes: no adding, changing or deleting."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def element_field(column: "Field[Any, Any]") -> forms.Field | None:
    """Return the form field for a JSON column of FHIR elements; None for other columns."""
    label = capfirst(column.verbose_name)
    match column.name if isinstance(column, JSONField) else "":
        case "communication":
            return ConceptsField(
                label=label, known=named_concepts.known_languages, name_of=named_concepts.language_name, is_open=True
            )
        case "specialty":
            return ConceptsField(
                label=label, known=named_concepts.known_specialties, name_of=named_concepts.specialty_name, is_open=True
            )
        case "relationship":
            return ConceptsField(
                label=label,
                known=named_concepts.known_relationships,
                name_of=named_concepts.relationship_name,
                is_open=True,
            )
        case "identifier":
            example = "http://hl7.org/fhir/sid/us-npi 1234567893"
            return IdentifiersField(label=label, help_text=format_lazy("{} {}", NUMBERS, example))
        case "payor":
            return PayersField(label=label, help_text=_("A line for each who pays, by name, such as Acme Health."))
        case "item":
            help_text = _("FHIR Questionnaire.item: https://hl7.org/fhir/R4/questionnaire.html")
            return ElementsField(
                element="QuestionnaireItem", required=False, initial=list, label=label, help_text=help_text
            )
    return None


class OnceForm(ModelForm):
    """A form that reports a duplicate, which the database would refuse.

    `once` are the columns that identify a row among those that are not deleted or entered in error. The error is
    `once_error`, shown at `once_field`.
    """

    once: ClassVar[tuple[str, ...]] = ()
    once_field: ClassVar[str] = ""
    once_error: "ClassVar[StrOrPromise]" = ""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("status") != "entered-in-error" and self._others().exists():
            self.add_error(self.once_field, self.once_error)
        return cleaned

    def _others(self) -> "QuerySet[Any]":
        rows: QuerySet[Any] = self._meta.model._default_manager.filter(deleted_at=None).exclude(pk=self.instance.pk)
        key = {name: self._key(name) for name in self.once}
        if None in key.values():
            return rows.none()
        return (rows.exclude(status="entered-in-error") if "status" in self.fields else rows).filter(**key)

    def _key(self, name: str) -> Any:
        if name in self.fields:
            return getattr(self.cleaned_data.get(name), "pk", None)
        return getattr(self.instance, f"{name}_id")
