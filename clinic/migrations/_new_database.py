"""Columns, choices and the operation that the two migrations of a new database share."""

from django.db import models
from django.db.migrations.operations.base import Operation

from clinic.models.base import new_fhir_id, validate_fhir_id

EVENTS = [
    ("request", "A visit is asked for"),
    ("staff-request", "A request waits for the staff's answer"),
    ("staff-news", "Staff are told of changes to visits"),
    ("suggestion", "The clinic suggests another time for a request"),
    ("offer", "A time comes free for somebody on the waiting list"),
    ("confirmation", "A visit is booked"),
    ("change", "A visit is moved or changed"),
    ("cancellation", "A visit is cancelled"),
    ("reminder", "A visit is near"),
    ("recall", "A patient is to be seen again"),
    ("rebooking", "Another time is needed, since the clinic cannot keep a visit"),
    ("kept", "A visit stays as booked after all"),
    ("delay", "A visit begins later than planned"),
    ("receipt", "Something is paid after booking"),
    ("refund", "Money is given back"),
    ("time-lost", "A payment came after the time was gone"),
    ("fee", "A fee for a missed visit is charged"),
    ("coverage-verified", "The clinic has checked an insurance"),
    ("coverage-rejected", "The clinic cannot accept an insurance"),
    ("proof", "A guest proves an email address or a number"),
    ("reply", "A patient answers by text message"),
    ("answer", "The clinic answers a patient's text message"),
    ("referral", "A referrer hears what became of a referral"),
    ("ticket", "The link of a referral is sent to the patient"),
    ("note", "Staff write in their own words"),
    ("invitation", "A patient invites somebody to manage their visits"),
    ("of-age", "A young patient becomes an adult"),
]
MEDIA = [("email", "Email"), ("sms", "Text message"), ("in-app", "On the pages")]


def resource():
    """The columns that every FHIR resource has."""
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        (
            "fhir_id",
            models.CharField(
                default=new_fhir_id, max_length=64, unique=True, validators=[validate_fhir_id], verbose_name="id"
            ),
        ),
        ("version", models.PositiveIntegerField(default=1, editable=False)),
        ("last_updated", models.DateTimeField(db_index=True, editable=False)),
        ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
        ("extra", models.JSONField(blank=True, default=dict, editable=False)),
    ]


class AtOnce(Operation):
    """Applies operations on tables without rows, and renders the models only before and after all of them.

    Django renders models again for each operation, which takes nearly all of the time that a new database needs. Here
    every operation gets the models before all of them and those after all of them, so none may depend on what is between.
    In the database they follow one another: a column that refers to a new table comes after that table.
    """

    reversible = False

    def __init__(self, operations):
        self.operations = operations

    def state_forwards(self, app_label, state):
        vars(state).pop("apps", None)  # the rendered models, which each change would render again
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self):
        return f"{len(self.operations)} operations at once"
