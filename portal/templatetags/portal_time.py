"""`clinic.words` for templates. Times are shown in the zone they carry: convert them before, in the view."""

from django import template

from clinic import formats, words

register = template.Library()

register.filter("clock", words.clock)
register.filter("short_day", words.short_day)
register.filter("long_day", words.long_day)
register.filter("full_day", words.full_day)
register.filter("plain_day", words.plain_day)
register.filter("partial_day", words.partial_day)
register.filter("month_and_year", words.month_and_year)
register.filter("short_month", words.short_month)
register.filter("weekday", words.weekday)
register.filter("short_weekday", words.short_weekday)
register.filter("days_to", words.days)
register.filter("day_and_time", words.day_and_time)
register.filter("zone_name", words.zone_name)
register.filter("in_words", words.length)
register.filter("free_times", words.free_times)
register.simple_tag(formats.conventions, name="conventions")
register.simple_tag(words.hours, name="hours")
register.simple_tag(words.when, name="when")
