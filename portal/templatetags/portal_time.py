"""Template tags and filters for `clinic.time_text`, and for birth dates. Views convert times to their zone first."""

from datetime import datetime

from django import template

from clinic import formats, patient_text, time_text
from clinic.country import clinic_zone
from clinic.local_time import in_zone

register = template.Library()

register.filter("clock", time_text.clock)
register.filter("short_day", time_text.short_day)
register.filter("long_day", time_text.long_day)
register.filter("full_day", time_text.full_day)
register.filter("plain_day", time_text.plain_day)
register.filter("partial_day", time_text.partial_day)
register.filter("birth_date_text", patient_text.birth_date_text)
register.filter("month_and_year", time_text.month_and_year)
register.filter("short_month", time_text.short_month)
register.filter("weekday", time_text.weekday)
register.filter("short_weekday", time_text.short_weekday)
register.filter("days_to", time_text.days)
register.filter("day_and_time", time_text.day_and_time)
register.filter("zone_name", time_text.zone_name)
register.filter("in_words", time_text.length)
register.filter("free_times", time_text.free_times)
register.simple_tag(formats.conventions, name="conventions")
register.simple_tag(time_text.hours, name="hours")
register.simple_tag(time_text.when, name="when")


@register.filter
def clinic_time(moment: datetime) -> datetime:
    """Return the moment in the clinic's zone, for what belongs to no site."""
    return in_zone(moment, clinic_zone())
