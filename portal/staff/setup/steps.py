"""Steps of the set-up: each is a page that can be left, and done later. A step is done if its rows exist."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from scheduling.setup import SetupProgress


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A step: its page, and its count in SetupProgress; without a count there is nothing to enter."""

    page: str
    word: Any
    about: Any
    counted: str = ""
    is_needed: bool = False

    @property
    def address(self) -> str:
        return reverse(f"portal:{self.page}")


@dataclass(frozen=True, slots=True)
class StepState:
    """A step with the number of its rows."""

    step: SetupStep
    number: int
    count: int

    @property
    def is_missing(self) -> bool:
        return self.step.is_needed and not self.count


STEPS = (
    SetupStep("setup-clinic", _("The clinic"), _("Its name, country and clocks.")),
    SetupStep(
        "setup-sites", _("Sites"), _("Where patients come, with the address, phone and time zone."), "sites", True
    ),
    SetupStep("setup-people", _("People"), _("Who sees patients, and where."), "people", True),
    SetupStep(
        "setup-rooms", _("Rooms and devices"), _("Only if their time is booked together with a person."), "rooms"
    ),
    SetupStep("setup-services", _("Visits"), _("What patients book, from templates or your own."), "services", True),
    SetupStep(
        "setup-hours", _("Hours of each person"), _("Where they differ from the hours of the visits."), "calendars"
    ),
    SetupStep("setup-messages", _("Messages"), _("How patients get messages, and when.")),
    SetupStep(
        "setup-preview", _("Preview"), _("The free times as patients see them, and what still prevents booking.")
    ),
)


def states(progress: SetupProgress) -> list[StepState]:
    """Return all steps with their counts."""
    return [
        StepState(step, number, getattr(progress, step.counted) if step.counted else 0)
        for number, step in enumerate(STEPS, start=1)
    ]


def next_missing(found: list[StepState]) -> SetupStep:
    """Return the first step that is needed and not done; the preview if there is none, the first if nothing is done."""
    missing = [state.step for state in found if state.is_missing]
    if len(missing) == sum(step.is_needed for step in STEPS):
        return STEPS[0]
    return missing[0] if missing else STEPS[-1]


def around(page: str) -> dict[str, Any]:
    """Return the context of a step's page: the step, its number, and the step after it."""
    place = next(n for n, step in enumerate(STEPS) if step.page == page)
    return {
        "step": STEPS[place],
        "number": place + 1,
        "steps": STEPS,
        "following": STEPS[place + 1] if place + 1 < len(STEPS) else None,
    }
