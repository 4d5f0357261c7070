import django.db.models.deletion
from django.db import migrations, models

# What happens to a visit is noted where it cannot be forgotten, in the transaction of the change. Nothing is written
# while nobody reads the events: a booking then pays for one look at a table with a few rows.
FUNCTION = """
CREATE FUNCTION clinic_note_visit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := CASE TG_OP WHEN 'UPDATE' THEN OLD.status ELSE '' END;
    happened text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM clinic_eventconsumer) THEN
        RETURN NULL;
    END IF;
    happened := CASE
        WHEN NEW.status = 'booked' THEN CASE
            WHEN before = 'booked' THEN 'moved'
            WHEN before IN ('arrived', 'checked-in', 'fulfilled', 'noshow') THEN 'corrected'
            ELSE 'booked'
        END
        WHEN NEW.status IN ('arrived', 'checked-in') THEN CASE
            WHEN before = 'fulfilled' THEN 'corrected'
            WHEN before NOT IN ('arrived', 'checked-in') THEN 'arrived'
        END
        WHEN NEW.status IN ('fulfilled', 'noshow') AND before NOT IN ('', NEW.status) THEN NEW.status
        WHEN NEW.status IN ('cancelled', 'entered-in-error')
            AND before IN ('booked', 'arrived', 'checked-in', 'fulfilled', 'noshow') THEN 'cancelled'
    END;
    IF happened IS NOT NULL THEN
        INSERT INTO clinic_visitevent (kind, appointment_id, version, occurred)
        VALUES (happened, NEW.id, NEW.version, NEW.last_updated);
    END IF;
    RETURN NULL;
END $$
"""
CREATED = """
CREATE TRIGGER note_created_visit AFTER INSERT ON clinic_appointment FOR EACH ROW
    WHEN (NEW.status IN ('booked', 'arrived', 'checked-in'))
    EXECUTE FUNCTION clinic_note_visit()
"""
CHANGED = """
CREATE TRIGGER note_changed_visit AFTER UPDATE ON clinic_appointment FOR EACH ROW
    WHEN (
        (OLD.status, OLD.start, OLD."end", OLD.sequence) IS DISTINCT FROM
        (NEW.status, NEW.start, NEW."end", NEW.sequence)
    )
    EXECUTE FUNCTION clinic_note_visit()
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0027_words_of_audit_actions")]

    operations = [
        migrations.CreateModel(
            name="EventConsumer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=50, unique=True)),
                ("place", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="VisitEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(editable=False, null=True, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("booked", "Booked"),
                            ("moved", "Moved"),
                            ("cancelled", "Cancelled"),
                            ("arrived", "Arrived"),
                            ("fulfilled", "Fulfilled"),
                            ("noshow", "No-show"),
                            ("corrected", "Corrected"),
                        ],
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                ("occurred", models.DateTimeField(db_index=True)),
                (
                    "appointment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="clinic.appointment",
                    ),
                ),
            ],
            options={
                "ordering": ["number", "pk"],
                "indexes": [
                    models.Index(condition=models.Q(("number__isnull", True)), fields=["id"], name="visit_event_new")
                ],
            },
        ),
        migrations.RunSQL(
            "CREATE SEQUENCE clinic_visitevent_number OWNED BY clinic_visitevent.number", migrations.RunSQL.noop
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION clinic_note_visit()"),
        migrations.RunSQL(CREATED, "DROP TRIGGER note_created_visit ON clinic_appointment"),
        migrations.RunSQL(CHANGED, "DROP TRIGGER note_changed_visit ON clinic_appointment"),
    ]
