"""Time that staff offered without its having come free is noted when the offer ends, so that it passes on."""

from importlib import import_module

from django.db import migrations

OFFER = "WHERE hold_id = OLD.appointment_id"
# Time that came free is noted already by the row that its offers name.
NOTED = f"{OFFER} AND freed_id IS NOT NULL"


def note_freed_slot(condition: str) -> str:
    """Return the statement that defines the trigger's function, with the offers whose end it does not note."""
    functions: str = import_module("clinic.migrations.0050_waitlist").FUNCTIONS
    function = functions.partition("CREATE FUNCTION clinic_note_new_hours")[0]
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(OFFER, condition)


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0067_closures'),
    ]

    operations = [
        migrations.RunSQL(note_freed_slot(NOTED), note_freed_slot(OFFER)),
    ]
