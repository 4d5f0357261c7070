"""Descriptions of weekly hours and of a service's settings in words."""

from collections.abc import Sequence
from copy import copy
from datetime import date, time, timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import formats, time_text
from clinic.models import SchedulingParameters
from portal.staff.hours.recurrences import in_brackets
from scheduling.opening import Change, OpenSpan, Terms, Version, Week


def in_words(week: Week, today: date) -> list[tuple[str, str]]:
    """Return the weekdays with their hours in words; consecutive days with the same hours are one line.

    For hours every few weeks, the next of these weeks from `today` on is named.
    """
    alike = groupby(formats.weekdays(), key=lambda weekday: week[weekday])
    return [(_days(list(weekdays)), spans_in_words(spans, today)) for spans, weekdays in alike]


def spans_in_words(spans: Sequence[OpenSpan], today: date) -> str:
    return (
        _(" and ").join(_span(span) + in_brackets(span.recurrence, today) for span in spans) if spans else _("closed")
    )


def since(version: Version) -> str:
    """Return "From the beginning", or "From Friday 1 May 2026"."""
    if version.first is None:
        return _("From the beginning")
    return _("From %(day)s") % {"day": time_text.full_day(version.first)}


def settings_in_words(row: SchedulingParameters | None, general: SchedulingParameters | None) -> str:
    """Return lengths and starts, such as "30 minutes, 5 minutes before, starts every 15 minutes"."""

    def either(name: str) -> Any:
        found = (getattr(each, name) for each in (row, general) if each)
        return next((value for value in found if value is not None), None)

    duration, before, after = either("duration"), either("buffer_before"), either("buffer_after")
    capacity = either("slot_capacity") or 1
    parts = [minutes(duration) if duration else _("no length is set")]
    parts += [_("%(minutes)s before") % {"minutes": minutes(before)}] if before else []
    parts += [_("%(minutes)s after") % {"minutes": minutes(after)}] if after else []
    parts.append(_("starts every %(minutes)s") % {"minutes": minutes(either("alignment_interval") or 60)})
    parts += [ngettext("%(count)d place", "%(count)d places", capacity) % {"count": capacity}] if capacity > 1 else []
    day, week, session = either("day_limit"), either("week_limit"), either("session_limit")
    parts += [ngettext("%(count)d visit a day", "%(count)d visits a day", day) % {"count": day}] if day else []
    parts += [ngettext("%(count)d visit a week", "%(count)d visits a week", week) % {"count": week}] if week else []
    text = ngettext("%(count)d visit a session", "%(count)d visits a session", session or 0)
    parts += [text % {"count": session}] if session else []
    new = either("new_patient_session_limit")
    text = ngettext("%(count)d new patient a session", "%(count)d new patients a session", new or 0)
    parts += [text % {"count": new}] if new else []
    return ", ".join(parts)


def changed_settings(form: forms.Form, terms: Terms, change: Change) -> list[tuple[str, str]]:
    """Return the changed settings in words, by their labels."""
    row = copy(terms.row) if terms.row else SchedulingParameters()
    for name, value in change.parameters.items():
        setattr(row, name, value)
    general = terms.general if terms.schedule else row
    lines = [(_("Visits"), settings_in_words(row, general))]
    return lines + [
        (str(form[name].label), _value(form, name)) for name in form.changed_data if name not in change.parameters
    ]


def _value(form: forms.Form, name: str) -> str:
    value, field = form.cleaned_data[name], form.fields[name]
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, timedelta):
        return time_text.length(value)
    if isinstance(field, forms.ModelMultipleChoiceField):
        return ", ".join(map(str, value)) or _("none")
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
    return _("none") if value in (None, "") else str(value)


def minutes(count: int) -> str:
    return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}


def _span(span: OpenSpan) -> str:
    opens, closes = span.opens, span.closes
    if span.is_all_day:
        return _("all day")
    if closes.replace(second=0, microsecond=0) == time():
        return _("%(start)s to midnight") % {"start": formats.clock(opens)}
    if opens < closes:
        return formats.clocks(opens, closes)
    hours = formats.between(formats.clock(opens), formats.clock(closes))
    return _("%(hours)s the next day") % {"hours": hours}


def _days(weekdays: Sequence[int]) -> str:
    if len(weekdays) == len(WEEKDAY_NAMES):
        return _("Every day")
    names = [str(WEEKDAY_NAMES[weekday]) for weekday in weekdays]
    if len(names) == 1:
        return names[0]
    pattern = _("%(first)s and %(last)s") if len(names) == 2 else _("%(first)s to %(last)s")
    return pattern % {"first": names[0], "last": names[-1]}
