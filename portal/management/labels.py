"""The labels, help texts and choices of models that Administration shows, for the translation catalogs."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Field, Model
from django.utils.translation import override

from clinic import labels
from clinic.models import AppRegistration


def admin_labels() -> Iterator[tuple[str, str]]:
    """Yield each text in English, with the file of its model."""
    with override(None):
        for model, names in _admin_columns().items():
            file = f"{model.__module__.replace('.', '/')}.py"
            is_library = model._meta.app_label != labels.APPS[0]
            for text in map(str, _texts(model, names)):
                if text and (text in labels.found or is_library):
                    yield file, text
            for field in model._meta.fields:
                if field.name in names:
                    choices = getattr(field, "base_field", field).flatchoices
                    yield from ((file, str(label)) for _value, label in choices)


def _admin_columns() -> dict[type[Model], set[str]]:
    """Return the names of the columns of each model that Administration shows."""
    columns: dict[type[Model], set[str]] = {}
    columns[AppRegistration] = {field.name for field in AppRegistration._meta.fields}  # on its application's page
    for model, administration in admin.site._registry.items():
        if model._meta.app_label in labels.APPS:
            columns.setdefault(model, set()).update(_columns(model, administration))
            for inline in administration.inlines:
                columns.setdefault(inline.model, set()).update(_columns(inline.model, inline))
    return columns


def _columns(model: type[Model], administration: Any) -> set[str]:
    """Return the columns that can be typed, and those that are only shown; for a library, those of its own page."""
    lists = ("list_display", "list_filter", "readonly_fields")
    named = {name for option in lists for name in getattr(administration, option, ()) if isinstance(name, str)}
    named |= set(flatten_fieldsets(administration.fieldsets or ()))
    if administration.fieldsets and model._meta.app_label != labels.APPS[0]:
        return named
    return named | {field.name for field in (*model._meta.fields, *model._meta.many_to_many) if field.editable}


def _texts(model: type[Model], names: set[str]) -> Iterator[Any]:
    options: Any = model._meta
    yield from (options.verbose_name, options.verbose_name_plural)
    yield from (constraint.violation_error_message for constraint in options.constraints)
    for field in options.get_fields():
        if isinstance(field, Field) and field.name in names:
            yield from (field.verbose_name, field.help_text)
