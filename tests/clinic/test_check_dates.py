"""`make check-dates`: the dates on which the tests run, and the clocks that are shifted."""

import ctypes
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg_binary
import pytest
from django.conf import settings

from tests.shifted_clock import __main__ as command
from tests.shifted_clock import libfaketime
from tests.shifted_clock.dates import shifted_dates


@pytest.mark.parametrize("today", [date(2026, 11, 29), date(2027, 1, 31), date(2028, 2, 29), date(2028, 12, 31)])
def test_it_holds_every_kind_of_hard_day_from_any_day_on(today):
    dates = shifted_dates(today)

    sunday = dates["sunday-at-month-end"]
    assert sunday.weekday() == 6
    assert (sunday + timedelta(days=1)).day == 1
    assert [(dates[f"february-{day}"].month, dates[f"february-{day}"].day) for day in (28, 29)] == [(2, 28), (2, 29)]
    assert dates["february-28"].year == dates["february-29"].year
    assert all(moment.date() >= today for moment in dates.values())


def test_it_holds_the_days_that_are_written_in_the_calendar():
    dates = shifted_dates(date(2026, 11, 29))
    assert {name: moment.astimezone(UTC).isoformat(timespec="minutes")[:-6] for name, moment in dates.items()} == {
        "sunday-at-month-end": "2027-02-01T01:30",
        "february-28": "2028-02-28T17:00",
        "february-29": "2028-02-29T17:00",
        "eve-of-spring-change": "2027-03-13T17:00",
        "spring-change": "2027-03-14T05:30",
        "eve-of-autumn-change": "2027-11-06T16:00",
        "autumn-change": "2027-11-07T04:30",
        "year-end": "2026-12-31T23:50",
        "year-end-in-new-york": "2027-01-01T04:50",
        "two-years-ahead": "2028-11-29T17:00",
    }


def test_it_runs_everything_but_the_browser_tests_with_the_shifted_clock(monkeypatch, tmp_path):
    runs: list[tuple[list[str], dict[str, str]]] = []

    def run(arguments, env):
        runs.append((arguments, env))
        return subprocess.CompletedProcess(arguments, 0)

    monkeypatch.setattr(command.subprocess, "run", run)
    assert command.passes("year-end", datetime(2030, 12, 31, 23, 50, tzinfo=UTC), tmp_path / "clock.so", ["-x"])
    [(arguments, environment)] = runs
    assert arguments[arguments.index("pytest") + 1 :] == [
        *("-n", "auto", "--dist", "worksteal", "-m", "not browser"),
        "-x",
    ]
    assert environment["LD_PRELOAD"] == str(tmp_path / "clock.so")


def test_contributing_says_when_to_run_it():
    text = (Path(settings.BASE_DIR) / "CONTRIBUTING.md").read_text()
    for occasion in ("before a release", "when a change touches dates or times"):
        assert occasion in text[text.index("`make check-dates` runs everything but the browser tests") :]


def test_the_clock_is_shifted_and_goes_on(tmp_path):
    now = datetime.now(UTC)
    environment = command.shifted(now + timedelta(days=400), tmp_path / "libfaketimeMT.so.1")
    assert int(environment["FAKETIME"].removesuffix("s")) == pytest.approx(400 * 24 * 3600, abs=60)
    assert environment["FAKETIME"].startswith("+")
    assert environment["LD_PRELOAD"] == str(tmp_path / "libfaketimeMT.so.1")


def test_the_library_is_copied_without_the_functions_that_wait(monkeypatch, tmp_path):
    """Shown on a library that exists wherever the tests run on Linux; `make check-dates` itself shows the rest."""
    libpq = next(Path(psycopg_binary.__file__).parent.with_name("psycopg_binary.libs").glob("libpq-*"))
    monkeypatch.setattr(libfaketime, "WAITS", ("PQisthreadsafe", "PQresStatus"))
    copy = ctypes.CDLL(str(libfaketime.copy_without_waits(libpq, tmp_path)))
    assert copy.PQlibVersion() >= 140000
    assert not hasattr(copy, "PQisthreadsafe")
    assert not hasattr(copy, "PQresStatus")
    assert hasattr(copy, "PQexec")


def test_a_date_it_does_not_know_is_said(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(libfaketime, "find", lambda: tmp_path)
    monkeypatch.setenv("DATES", "february-30,year-end")
    assert command.main([]) == 2
    assert "knows no date february-30. It has sunday-at-month-end, february-28" in capsys.readouterr().err


def test_without_libfaketime_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(libfaketime, "find", lambda: None)
    monkeypatch.setattr(libfaketime, "install", lambda: None)
    assert command.main([]) == 2
    assert "install the package faketime" in capsys.readouterr().err


def test_one_failed_date_fails_the_command_and_the_others_still_run(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(libfaketime, "find", lambda: tmp_path)
    monkeypatch.setattr(libfaketime, "copy_without_waits", lambda library, _: library)
    monkeypatch.setattr(command, "passes", lambda name, *_: name != "spring-change")
    monkeypatch.setenv("DATES", "spring-change year-end")
    assert command.main([]) == 1
    assert "FAILED on spring-change." in capsys.readouterr().out
