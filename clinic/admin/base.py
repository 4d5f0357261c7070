"""What the administration of every resource has in common."""

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from django import forms
from django.contrib import admin
from django.db.models import Field, JSONField, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from clinic.admin.fields import ElementsField
from clinic.models import Resource

if TYPE_CHECKING:
    ModelAdmin: TypeAlias = admin.ModelAdmin[Any]
    StackedInline: TypeAlias = admin.StackedInline[Any, Any]
    ModelForm: TypeAlias = forms.ModelForm[Any]
else:
    ModelAdmin, StackedInline, ModelForm = admin.ModelAdmin, admin.StackedInline, forms.ModelForm

# The type of what a JSON column lists, and how one looks.
ELEMENTS = {
    "identifier": "Identifier",
    "item": "QuestionnaireItem",
    "specialty": "CodeableConcept",
    "type": "CodeableConcept",
}
EXAMPLES = {
    "Identifier": 'FHIR Identifiers, such as [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}]',
    "CodeableConcept": (
        'FHIR CodeableConcepts, such as [{"text": "Dermatology",'
        ' "coding": [{"system": "http://snomed.info/sct", "code": "394582007"}]}]'
    ),
    "QuestionnaireItem": (
        'The questions, such as [{"linkId": "1", "type": "string", "text": "What brings you here?"}]. The other types'
        " of question: https://hl7.org/fhir/R4/valueset-item-type.html"
    ),
}
RECORD = ("fhir_id", "version", "last_updated")
RECORD_SECTION: tuple[str, Any] = ("Record", {"fields": RECORD, "classes": ("collapse",)})


def saved(resource: Resource) -> None:
    """What is about to be saved is the next version."""
    if resource.pk is not None:
        resource.version += 1
    resource.last_updated = timezone.now()


class ResourceAdmin(ModelAdmin):
    """A resource: each save is its next version, what is deleted stays for those who ask for it and get 410.

    `related` is what its name needs, here and where it is chosen; `fieldsets` leave out `RECORD`.
    """

    related: ClassVar[tuple[str, ...]] = ()
    readonly_fields: ClassVar[tuple[str, ...]] = RECORD
    list_per_page = 50
    save_on_top = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Without a name, select_related would follow every key there is.
        return super().get_queryset(request).filter(deleted_at=None).select_related(*self.related or (None,))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """With the record's own data below, once there is a record."""
        fieldsets = list(super().get_fieldsets(request, obj))
        return fieldsets if obj is None else [*fieldsets, RECORD_SECTION]

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        if isinstance(db_field, JSONField) and db_field.name in ELEMENTS:
            return elements_field(ELEMENTS[db_field.name])
        return super().formfield_for_dbfield(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Resource, form: Any, change: bool) -> None:
        saved(obj)
        super().save_model(request, obj, form, change)

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


def elements_field(element: str) -> forms.Field:
    return ElementsField(element=element, required=False, help_text=EXAMPLES[element])
