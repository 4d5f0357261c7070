import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import clinic.models.base
from clinic.models.history import keep_versions

# What changes free time is noted where it cannot be forgotten, in the transaction of the change, statement by
# statement. Nothing is written while nobody subscribes: a booking then pays for one look at a small index.
FUNCTIONS = """
CREATE FUNCTION clinic_is_subscribed() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM clinic_subscription WHERE status = 'active' AND deleted_at IS NULL)
$$;

CREATE FUNCTION clinic_slot_says(status text, deleted_at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN deleted_at IS NOT NULL OR status = 'entered-in-error' THEN NULL
        WHEN status = 'free' THEN 'free'
        ELSE 'taken'
    END
$$;

CREATE FUNCTION clinic_note_slots() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT clinic_is_subscribed() THEN
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO clinic_schedulechange (bookable, start, "end")
        SELECT bookable_id, start, "end" FROM after WHERE clinic_slot_says(status, deleted_at) IS NOT NULL;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO clinic_schedulechange (bookable, start, "end")
        SELECT bookable_id, start, "end" FROM before WHERE clinic_slot_says(status, deleted_at) IS NOT NULL;
    ELSE
        INSERT INTO clinic_schedulechange (bookable, start, "end")
        SELECT each.bookable, each.start, each."end"
        FROM before JOIN after ON after.id = before.id
        CROSS JOIN LATERAL (VALUES
            (before.bookable_id, before.start, before."end", clinic_slot_says(before.status, before.deleted_at)),
            (after.bookable_id, after.start, after."end", clinic_slot_says(after.status, after.deleted_at))
        ) AS each (bookable, start, "end", says)
        WHERE each.says IS NOT NULL AND (
            before.bookable_id, before.start, before."end", clinic_slot_says(before.status, before.deleted_at)
        ) IS DISTINCT FROM (
            after.bookable_id, after.start, after."end", clinic_slot_says(after.status, after.deleted_at)
        );
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION clinic_note_schedules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF clinic_is_subscribed() THEN
        INSERT INTO clinic_schedulechange (schedule) SELECT id FROM after;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION clinic_note_services() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF clinic_is_subscribed() THEN
        INSERT INTO clinic_schedulechange (service) SELECT id FROM after;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION clinic_note_parameters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF clinic_is_subscribed() THEN
        INSERT INTO clinic_schedulechange (schedule, service)
        SELECT schedule_id, CASE WHEN schedule_id IS NULL THEN service_id END FROM changed;
    END IF;
    RETURN NULL;
END $$;
"""
TRIGGERS = (
    # table, what happens, the rows it happens to, the function
    ("slot", "INSERT", "NEW TABLE AS after", "clinic_note_slots"),
    ("slot", "UPDATE", "OLD TABLE AS before NEW TABLE AS after", "clinic_note_slots"),
    ("slot", "DELETE", "OLD TABLE AS before", "clinic_note_slots"),
    ("schedule", "INSERT", "NEW TABLE AS after", "clinic_note_schedules"),
    ("schedule", "UPDATE", "NEW TABLE AS after", "clinic_note_schedules"),
    ("healthcareservice", "UPDATE", "NEW TABLE AS after", "clinic_note_services"),
    ("schedulingparameters", "INSERT", "NEW TABLE AS changed", "clinic_note_parameters"),
    ("schedulingparameters", "UPDATE", "NEW TABLE AS changed", "clinic_note_parameters"),
    ("schedulingparameters", "DELETE", "OLD TABLE AS changed", "clinic_note_parameters"),
)


def name_of(happening):
    return f"note_{happening.lower()}"


CREATE = [
    f"CREATE TRIGGER {name_of(happening)} AFTER {happening} ON clinic_{table} REFERENCING {rows}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    for table, happening, rows, function in TRIGGERS
]
DROP = [f"DROP TRIGGER {name_of(happening)} ON clinic_{table}" for table, happening, _, _ in TRIGGERS] + [
    "DROP FUNCTION clinic_note_slots(), clinic_note_schedules(), clinic_note_services(), clinic_note_parameters(),"
    " clinic_slot_says(text, timestamptz), clinic_is_subscribed()"
]


class Migration(migrations.Migration):
    dependencies = [("clinic", "0006_history")]

    operations = [
        migrations.CreateModel(
            name="ScheduleChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bookable", models.BigIntegerField(null=True)),
                ("schedule", models.BigIntegerField(null=True)),
                ("service", models.BigIntegerField(null=True)),
                ("start", models.DateTimeField(null=True)),
                ("end", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "fhir_id",
                    models.CharField(
                        default=clinic.models.base.new_fhir_id,
                        max_length=64,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9\\-.]{1,64}\\Z",
                                "An id is 1 to 64 letters, digits, hyphens and full stops.",
                            )
                        ],
                        verbose_name="id",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("last_updated", models.DateTimeField(db_index=True, editable=False)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("active", "Active"),
                            ("error", "Error"),
                            ("off", "Off"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField()),
                ("criteria", models.CharField(max_length=1000)),
                (
                    "channel_type",
                    models.CharField(choices=[("rest-hook", "Rest Hook")], default="rest-hook", max_length=10),
                ),
                ("endpoint", models.URLField(max_length=500)),
                (
                    "payload",
                    models.CharField(
                        blank=True, help_text="Its media type; empty: nothing is sent along.", max_length=100
                    ),
                ),
                (
                    "header",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=4000),
                        blank=True,
                        default=list,
                        editable=False,
                        size=None,
                    ),
                ),
                ("end", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                ("client", models.CharField(blank=True, db_index=True, editable=False, max_length=100)),
                ("failures", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "last_contact",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["pk"]},
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_day", models.DateField(blank=True, null=True)),
                ("last_day", models.DateField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("created", models.DateTimeField()),
                ("due", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("tried", models.DateTimeField(blank=True, null=True)),
                ("duration_ms", models.PositiveIntegerField(blank=True, null=True, verbose_name="milliseconds")),
                ("status_code", models.PositiveIntegerField(blank=True, null=True, verbose_name="HTTP status")),
                ("error", models.CharField(blank=True, max_length=500)),
                (
                    "schedule",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="clinic.schedule",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="clinic.subscription",
                    ),
                ),
            ],
            options={
                "verbose_name": "notification of a subscriber",
                "verbose_name_plural": "notifications of subscribers",
                "ordering": ["-created", "-pk"],
            },
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True), ("status", "active")),
                fields=["last_contact"],
                name="subscription_active",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("status__in", ["waiting", "sending"])), fields=["due"], name="notification_due"
            ),
        ),
        migrations.AddIndex(model_name="notification", index=models.Index(fields=["created"], name="notification_log")),
        keep_versions("Subscription"),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(CREATE, DROP),
    ]
