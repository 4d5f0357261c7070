"""Lists of another system become rows, once, by the use cases that all software writes by."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from clinic import service_types
from clinic.available_time import RecurringWeeks, weeks_of
from clinic.models import Appointment, HealthcareService, ImportFile, Patient, Practitioner, Schedule, ServiceType, Slot
from scheduling import imports
from scheduling.access import Caller
from scheduling.errors import Forbidden, Invalid, RuleBroken, VersionConflict
from tests.factories import PatientFactory, PractitionerFactory, UserFactory
from tests.scheduling.imports.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = Path(__file__).parents[3] / "examples/imports"
PATIENTS = "Number,Family name,Given names,Date of birth,Gender,Phone\n"
LINDQVIST = "Number,Family name,Given names\nd1,Lindqvist,Maja\n"
SERVICE = "Number,Name,Minutes\ns1,Blood test,30\n"
HOURS = "Practitioner,Services,Days,From,To\nd1,Blood test,Mon-Fri,00:00,23:59\n"
VISITS = "Number,Patient,Practitioner,Service,Date,Time\n"


def test_the_examples_are_imported_in_their_order_and_again_change_nothing(importer, site):
    for again in (False, True):
        for kind in ("patients", "practitioners", "services", "hours", "appointments"):
            done = importer.run(kind, (EXAMPLES / f"{kind}.csv").read_bytes())
            assert (done.status, done.refused.count()) == ("done", 0), kind
            assert (done.new, done.known) == ((0, done.lines) if again else (done.lines, 0)), kind
    lucia = Patient.objects.get(given="Lucía")
    assert (lucia.family, lucia.birth_date, lucia.language) == ("Serrano Vidal", date(2019, 2, 28), "es")
    assert str(Practitioner.objects.get(family="Lindqvist")) == "Dr. Maja Lindqvist"
    assert set(HealthcareService.objects.values_list("name", flat=True)) == {"First visit", "Blood test"}
    maja = Schedule.objects.get(bookable__practitioner__family="Lindqvist")
    assert maja.site == site
    first = maja.scheduling_parameters.get(service__name="First visit").availability
    assert [each["daysOfWeek"] for each in first] == [["mon", "tue", "wed", "thu"], ["tue"]]
    visit = Appointment.objects.get(patient__family="Marlow")
    assert (visit.status, visit.site, visit.start) == ("fulfilled", site, datetime(2025, 6, 2, 13, tzinfo=UTC))
    assert Appointment.objects.get(patient__family="Okafor").status == "noshow"


def test_imported_visits_keep_their_time_and_nobody_is_told(importer, site):
    importer.run("practitioners", LINDQVIST)
    importer.run("services", SERVICE)
    importer.run("hours", HOURS)
    importer.run("patients", PATIENTS + "1,Marlow,Iris,1985-03-27,,\n2,Okafor,Dan,1972-11-05,,\n")
    lines = (
        "v1,1,d1,Blood test,2026-03-02,09:00\n"
        "v2,2,d1,Blood test,2026-03-02,09:15\n"  # overlaps the first
        "v3,2,d1,Blood test,2026-03-08,02:30\n"  # the clocks go forward
        "v4,9,d1,Blood test,2026-03-03,09:00\n"
        "v5,2,d9,Blood test,2026-03-03,09:00\n"
        "v6,2,d1,Blood test,2027-02-29,09:00\n"
        "v1,2,d1,Blood test,2026-03-04,09:00\n"
        "v7,2,d1,,2026-03-05,09:00\n"
    )
    checked = importer.check("appointments", VISITS + lines)
    assert {each.line: each.reason for each in checked.refused.all()} == {
        2: "This time is taken by another Slot.",
        3: "The clocks go forward then: there is no 2:30 AM on that day.",
        4: "There is no patient with the number 9. Import patients first.",
        5: "There is no practitioner d9. Import practitioners first.",
        6: "There is no such day: 2027-02-29.",
        7: "Line 1 has the number v1 already.",
        8: "It has no “Service”.",
    }
    assert not Appointment.objects.exists()
    with pytest.raises(RuleBroken, match="Some lines are refused"):
        importer.start(checked)
    done = importer.work(importer.start(checked, only_good=True))
    assert (done.status, done.new, done.refused.count()) == ("done", 1, 7)
    [slot] = Slot.objects.all()
    assert (slot.status, slot.start) == ("busy", datetime(2026, 3, 2, 14, tzinfo=UTC))
    assert slot.appointment.patient.family == "Marlow"
    assert not slot.appointment.communications.exists()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,,Iris,,,", "It has no “Family name”."),
        (",Marlow,Iris,,,", "It has no “Number in the other system”."),
        ("1,Marlow,Iris,29.02.2023,,", "29.02.2023 is not a date. Write it as 3/27/1985 or as 1985-03-27."),
        ("1,Marlow,Iris,02/29/2023,,", "There is no such day: 02/29/2023."),
        ("1,Marlow,Iris,03/27/85,,", "03/27/85 is not a date. Write it as 3/27/1985 or as 1985-03-27."),
        ("1,Marlow,Iris,,elf,", "elf is not a gender. Write female, male, other or unknown."),
        ("1,Marlow,Iris,,,12", "12 is not a phone number. Write it as +1 212 555 0123."),
    ],
)
def test_lines_that_cannot_be_read_are_refused_in_words(importer, site, line, reason):
    assert importer.refusals("patients", f"{PATIENTS}{line}\n2,Okafor,Dan,02/29/2024,m,+12125550187\n") == {1: reason}


@pytest.mark.parametrize(
    "data",
    [
        "Number,Family name,Given names\n1,Müller,Zoë\n".encode(),
        "\ufeffNumber;Family name;Given names\r\n1;Müller;Zoë\r\n".encode(),
        "Nummer\tNachname\tVorname\n1\tMüller\tZoë".encode("cp1252"),
        '\n"Número";"Apellidos";"Nombre"\n\n"1";"Müller";"Zoë"\n;;\n'.encode(),
        "Number,Family name,Given names\n1,Müller,Zoë\n".encode("utf-16"),
        "Given names,Surname,ID\n'=Zoë,Müller,1\n".replace("'=", "").encode(),
    ],
)
def test_files_are_read_as_spreadsheet_programs_write_them(importer, data):
    assert importer.run("patients", data).new == 1
    assert Patient.objects.values_list("family", "given").get() == ("Müller", "Zoë")


def test_quoted_cells_may_have_new_lines_and_marks(importer):
    text = 'Number,Name,Minutes,Description\ns1,"Test; ""quick""",10,"Come early,\nplease."\n'
    assert importer.run("services", text).new == 1
    service = HealthcareService.objects.get()
    assert (service.name, service.comment) == ('Test; "quick"', "Come early,\nplease.")


def test_service_types_are_read_by_name_in_any_language_or_by_code(importer):
    ServiceType.objects.create(code="home", name="Home visit")
    lines = "s1,A,10,Physical Therapy\ns2,B,10,fisioterapia\ns3,C,10,PT\ns4,D,10,home VISIT\ns5,E,10,\ns6,F,10,Skim\n"
    checked = importer.check("services", "Number,Name,Minutes,Service type\n" + lines)
    assert list(checked.refused.values_list("line", "reason")) == [
        (6, "Skim is not a service type. Choose one on the page of the visit.")
    ]
    importer.run("services", "Number,Name,Minutes,Service type\n" + lines.replace("s6,F,10,Skim\n", ""))
    named = {each.name: service_types.names_of(each.type) for each in HealthcareService.objects.all()}
    assert named == {name: ["Physical Therapy"] for name in "ABC"} | {"D": ["Home visit"], "E": []}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty"),
        (b"Number,Name\n", "no lines below"),
        (b'Number,Name\n1,"Marlow\n', "a quotation mark is missing"),
        (b"PK\x03\x04\x00\x00", "This is not a CSV file"),
    ],
)
def test_files_that_are_no_table_are_refused(importer, data, reason):
    with pytest.raises(Invalid, match=reason):
        importer.send("patients", data)
    assert not ImportFile.objects.exists()


def test_a_patient_who_is_registered_stays_as_they_are_and_gets_the_visits(importer, site):
    iris = PatientFactory(given="Iris", family="Marlow", birth_date=date(1985, 3, 27), phone="+12125550142", gender="")
    importer.run("practitioners", LINDQVIST)
    importer.run("services", SERVICE)
    importer.run("hours", HOURS)
    done = importer.run("patients", PATIENTS + "7,Marlow,Iris,1985-03-27,,(212) 555-0142\n")
    assert (done.new, done.known) == (0, 1)
    importer.run("appointments", VISITS + "v1,7,d1,Blood test,2026-03-02,09:00\n")
    assert Appointment.objects.get().patient == iris


def test_a_calendar_has_all_hours_of_its_lines(importer, site):
    importer.run("practitioners", LINDQVIST)
    importer.run("services", SERVICE)
    text = "Practitioner;Leistung;Tage;Von;Bis\nMaja Lindqvist;Blood test;Mo-Mi, Fr;8:00;12:00\nd1;s1;5;13.00;17:30\n"
    assert importer.run("hours", text).new == 2
    [parameters] = Schedule.objects.get().scheduling_parameters.all()
    assert [(each["daysOfWeek"], time.fromisoformat(each["availableEndTime"])) for each in parameters.availability] == [
        (["mon", "tue", "wed", "fri"], time(12)),
        (["fri"], time(17, 30)),
    ]
    assert importer.refusals("hours", text.replace("13.00", "later").replace("d1", "Chen")) == {
        2: "There is no practitioner Chen. Import practitioners first."
    }


def test_hours_may_say_in_which_weeks(importer):
    importer.run("practitioners", LINDQVIST)
    importer.run("services", SERVICE)
    text = "Practitioner,Service,Days,From,To,Weeks\n"
    text += "d1,s1,Mon,8:00,12:00,Every 2 weeks of 2026-11-30\nd1,s1,Tue,8:00,9:00,\n"
    reason = "“every 2 weeks of winter” cannot be read. Write it like every 2 weeks of 2026-11-30 or 1st, 3rd of month."
    together = {1: reason, 2: reason}  # all hours of a calendar are imported or none
    assert importer.refusals("hours", text.replace("2026-11-30", "winter")) == together
    importer.run("hours", text)
    [parameters] = Schedule.objects.get().scheduling_parameters.all()
    assert [weeks_of(each) for each in parameters.availability] == [
        RecurringWeeks(2, date(2026, 11, 30)),
        RecurringWeeks(),
    ]


def test_chosen_columns_are_remembered(importer):
    text = "A,B,C\n1,Marlow,Iris\n"
    with pytest.raises(Invalid, match="Choose a column for: Number in the other system, Family name"):
        importer.send("patients", text)
    importer.check("patients", text, {"number": 0, "family": 1, "given": 2})
    later = imports.send(text.encode(), kind="patients", name="next.csv", caller=importer.caller, now=NOW)
    assert later.columns == {"number": 0, "family": 1, "given": 2}


def test_an_import_is_undone_while_nothing_rests_on_it(importer, site):
    importer.run("practitioners", LINDQVIST)
    importer.run("services", SERVICE)
    importer.run("hours", HOURS)
    done = importer.run("patients", PATIENTS + "1,Marlow,Iris,1985-03-27,,\n2,Okafor,Dan,1972-11-05,,\n")
    visit = importer.run("appointments", VISITS + "v1,1,d1,Blood test,2026-03-02,09:00\n")
    with pytest.raises(RuleBroken, match="1 of the imported records have been used or changed since"):
        imports.undo(done.pk, version=done.version, caller=importer.caller, now=NOW)
    assert Patient.objects.filter(deleted_at=None).count() == 2
    assert not imports.can_be_undone(visit)
    later = importer.run("patients", PATIENTS + "3,Serrano,Eva,2019-02-28,,\n")
    undone = imports.undo(later.pk, version=later.version, caller=importer.caller, now=NOW)
    assert undone.status == "undone"
    assert not Patient.objects.filter(family="Serrano", deleted_at=None).exists()
    assert importer.run("patients", PATIENTS + "3,Serrano,Eva,2019-02-28,,\n").new == 1


def test_a_step_that_somebody_else_has_started_is_refused(importer):
    checked = importer.check("patients", PATIENTS + "1,Marlow,Iris,,,\n")
    importer.start(checked)
    with pytest.raises(VersionConflict):
        importer.start(checked)


@pytest.mark.parametrize("name", ["rana", "ada", "a doctor"])
def test_only_owners_and_managers_import(importer, rana, ada, name):
    file = importer.check("patients", PATIENTS + "1,Marlow,Iris,,,\n")
    doctor = PractitionerFactory(user=UserFactory()).user
    caller = Caller(user={"rana": rana, "ada": ada.user, "a doctor": doctor}[name])
    with pytest.raises(Forbidden):
        imports.send(b"Number\n1\n", kind="patients", name="x", caller=caller, now=NOW)
    for act in (
        lambda: imports.file_of(file.pk, caller=caller),
        lambda: imports.start(file.pk, only_good=True, version=file.version, caller=caller),
        lambda: imports.undo(file.pk, version=file.version, caller=caller, now=NOW),
    ):
        with pytest.raises(Forbidden):
            act()
    assert not Patient.objects.filter(family="Marlow").exists()


def test_the_file_is_stored_encrypted(importer):
    file = importer.check("patients", PATIENTS + "1,Marlow,Iris,,,\n")
    assert "Marlow" not in file.encrypted
    assert file.text == PATIENTS + "1,Marlow,Iris,,,\n"
