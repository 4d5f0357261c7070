"""Posted data of the hours editor, and the hours that it saves."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clinic.models import WEEKDAYS, SchedulingParameters
from tests.factories import NEW_YORK, AppointmentFactory, PatientFactory

DAY = timedelta(days=1)


def entered(version, spans="09:00-12:00 13:00-17:00", *, since="", whose="own", **days):
    """Return a week as the form posts it: the same hours every day, except for named days."""
    data = {"version": version, "since": since, "whose": whose}
    for code in WEEKDAYS:
        hours = days.get(code, spans)
        data[f"{code}-state"] = hours if hours in ("closed", "all-day") else "open"
        for row, span in enumerate(hours.split() if data[f"{code}-state"] == "open" else ()):
            data[f"{code}-{row}-opens"], data[f"{code}-{row}-closes"] = span.split("-")
    return data


def own_hours(schedule):
    return SchedulingParameters.objects.get(schedule=schedule).availability


def window(opens, closes, *days, start=None, end=None):
    period = {name: str(day) for name, day in (("start", start), ("end", end)) if day}
    url = "https://clinic.example/fhir/StructureDefinition/availability-period"
    dated = {"extension": [{"url": url, "valuePeriod": period}]} if period else {}
    times = {"availableStartTime": f"{opens}:00", "availableEndTime": f"{closes}:00"}
    return {**dated, "daysOfWeek": list(days or WEEKDAYS), **times}


def visit_at(schedule, service, day, hour, **fields):
    start = datetime.combine(day, time(hour), ZoneInfo(NEW_YORK))
    end = start + timedelta(minutes=30)
    elena = PatientFactory(given="Elena", family="Marquez", birth_date=date(1985, 3, 27))
    fields = {"patient": elena, "site": schedule.site, **fields}
    return AppointmentFactory(service=service, start=start, end=end, schedules=[schedule], **fields)
