"""A plug-in of clinic-scheduling: new patients come in the morning, when there is time to get to know them."""

from collections.abc import Iterator

from scheduling.plugins import BookingFacts, Plugin, PluginRefusal, PluginWarning

NOON = 12


class NewPatientMornings(Plugin):
    """Refuse afternoons to new patients, and remind staff to plan time for them."""

    def before_booking(self, facts: BookingFacts) -> Iterator[PluginRefusal | PluginWarning]:
        if not any(patient.is_new for patient in facts.patients):
            return
        if facts.start.hour >= NOON:
            yield PluginRefusal("New patients are seen in the morning. Choose a time before 12 noon.")
        yield PluginWarning("The patient is new: plan ten minutes for the papers.")
