"""Labels of models, columns and choices in the reader's language.

A label is declared once, in English, with its model: the label of a column is its name, unless it declares another.
`update_translations` collects the labels and help texts from the models.
"""

import enum
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

# The apps whose models are labelled in English: ours, and a library that comes without translations.
APPS = ("clinic", "oauth2_provider")

# The labels and help texts of models that `translate_labels` has found.
found: set[str] = set()


class Choices(models.TextChoices):
    """Choices with labels in the reader's language. `display` is the label in English, as FHIR's codings have it."""

    @enum.property
    def label(self) -> Any:
        return gettext_lazy(self.display)

    @property
    def display(self) -> str:
        return str(self._label_)


def translate_labels() -> None:
    """Have the labels and help texts of all models translated where they are shown. Migrations do not see it."""
    for model in apps.get_models():
        options: Any = model._meta
        if options.app_label in APPS:
            if "verbose_name_plural" not in options.original_attrs and not isinstance(options.verbose_name, Promise):
                options.verbose_name_plural = _lazy(str(options.verbose_name_plural))
            options.verbose_name_plural = _lazy(options.verbose_name_plural)
            options.verbose_name = _lazy(options.verbose_name)
            for constraint in options.constraints:
                constraint.violation_error_message = _lazy(constraint.violation_error_message)
            for field in (*options.local_fields, *options.local_many_to_many):
                field.verbose_name = _lazy(field.verbose_name)
                field.help_text = _lazy(field.help_text)


def _lazy(text: Any) -> Any:
    """Return the text, translated where it is shown, unless it is that already."""
    if not text or isinstance(text, Promise):
        return text
    found.add(text)
    return gettext_lazy(text)
