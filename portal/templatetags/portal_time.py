"""`clinic.words` for templates. Times are shown in the zone they carry: convert them before, in the view."""

from django import template

from clinic import words

register = template.Library()

register.filter("clock", words.clock)
register.filter("short_day", words.short_day)
register.filter("long_day", words.long_day)
register.filter("full_day", words.full_day)
register.filter("zone_name", words.zone_name)
register.filter("in_words", words.length)
register.filter("free_times", words.free_times)
register.simple_tag(words.hours, name="hours")
register.simple_tag(words.when, name="when")
