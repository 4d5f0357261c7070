"""Form fields for the types of a service, the same in the set-up and in Administration."""

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic import service_types
from clinic.concept_fields import ConceptsField
from clinic.models.service_types import LONGEST_NAME


def types_field() -> ConceptsField:
    """Return a field for the types of a service, by their names."""
    return ConceptsField(
        label=_("Service types"),
        help_text=_("For insurers, reports and other systems: type part of the name and choose from the list."),
        known=service_types.known_types,
        name_of=service_types.name_of,
    )


def own_type_field() -> forms.CharField:
    """Return a field for the name of a type that the clinic adds to the list; `service_types.with_type` stores it."""
    return forms.CharField(
        label=_("A service type of your own"),
        help_text=_("If none on the list fits. It is on the list from then on."),
        max_length=LONGEST_NAME,
        required=False,
    )
