"""Forms for a file to import, for its columns, and for how it is imported."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import lazystr
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import ImportFile, ImportKind
from scheduling import imports

EXAMPLES = 2  # cells beside the name of a column
LONGEST_EXAMPLE = 24
ALL_LINES = ("all", gettext_lazy("All or nothing: if one line is refused, nothing is imported"))
GOOD_LINES = ("good", gettext_lazy("Only the lines that are right"))


class SendForm(forms.Form):
    """Form for a file and the list that it has."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What is in the file?"),
        choices=ImportKind.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Import the lists in this order: visits need the patients, people and services."),
        error_messages={"required": gettext_lazy("Choose what is in the file.")},
    )
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=format_lazy(
            gettext_lazy("Save the table as CSV in your spreadsheet program. {most} MB at most. You can drop it here."),
            most=lazystr(imports.MOST_MEGABYTES),
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty. Its first line has the names of the columns."),
        },
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > imports.MOST_MEGABYTES * imports.MEGABYTE:
            raise ValidationError(
                _("The file is larger than %(most)d MB. Split it, and import one part after the other.")
                % {"most": imports.MOST_MEGABYTES}
            )
        return file


class ColumnsForm(forms.Form):
    """Form for the column of each field."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, file: ImportFile) -> None:
        super().__init__(data, prefix="column", initial=file.columns)
        choices = [("", _("Not in the file")), *_named_columns(file)]
        for field in imports.FIELDS[file.kind]:
            self.fields[field.name] = forms.ChoiceField(
                label=field.label,
                choices=choices,
                required=field.required,
                error_messages={
                    "required": _("Choose the column for “%(field)s”.") % {"field": field.label},
                },
            )

    def columns(self) -> dict[str, int]:
        return {name: int(column) for name, column in self.cleaned_data.items() if column}


def _named_columns(file: ImportFile) -> list[tuple[int, str]]:
    """Return the numbers of the columns with their names and their first cells."""
    lines = list(islice(imports.lines_of(file.text), EXAMPLES))
    names = []
    for number, name in enumerate(file.header):
        cells = [cell[:LONGEST_EXAMPLE] for line in lines if (cell := imports.cell_of(line, number))]
        name = name or _("Column %(number)d") % {"number": number + 1}
        names.append((number, f"{name} ({', '.join(cells)})" if cells else name))
    return names


class StartForm(forms.Form):
    """Form that starts the import of the lines that are right."""

    lines = forms.ChoiceField(
        label=gettext_lazy("Which lines?"),
        widget=forms.RadioSelect,
        choices=[ALL_LINES, GOOD_LINES],
        error_messages={"required": gettext_lazy("Choose which lines are imported.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, file: ImportFile) -> None:
        has_refused = file.refused.exists()
        super().__init__(data, initial={"lines": "good" if has_refused or _is_long(file) else "all"})
        if has_refused or _is_long(file):
            field = self.fields["lines"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [GOOD_LINES]

    @property
    def only_good(self) -> bool:
        return bool(self.cleaned_data["lines"] == "good")


def _is_long(file: ImportFile) -> bool:
    return file.lines > imports.MOST_TOGETHER
