import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.expressions
import django.db.models.functions.comparison
from django.db import migrations, models

# The parts of an occasion, which went round the visits that were there, become one row under them.
WHOLE = """
WITH part AS (
    SELECT slot.id, slot.schedule_id, slot.start, slot."end", occasion->>'value' AS occasion
    FROM clinic_slot slot CROSS JOIN LATERAL jsonb_array_elements(slot.identifier) AS occasion
    WHERE slot.status = 'busy-unavailable' AND slot.appointment_id IS NULL AND slot.deleted_at IS NULL
        AND occasion->>'system' LIKE '%/NamingSystem/block-occasion'
), whole AS (
    SELECT min(id) AS kept, array_agg(id) AS parts, min(start) AS start, max("end") AS "end"
    FROM part GROUP BY schedule_id, occasion
)
UPDATE clinic_slot slot
SET lies_under = true,
    start = CASE WHEN slot.id = whole.kept THEN whole.start ELSE slot.start END,
    "end" = CASE WHEN slot.id = whole.kept THEN whole."end" ELSE slot."end" END,
    deleted_at = CASE WHEN slot.id = whole.kept THEN NULL ELSE now() END,
    version = slot.version + (cardinality(whole.parts) > 1)::int,
    last_updated = CASE WHEN cardinality(whole.parts) > 1 THEN now() ELSE slot.last_updated END
FROM whole WHERE slot.id = ANY(whole.parts)
"""
# Back: a block goes round what is there, hold or visit, and round blocks that were there before it.
PARTS = """
INSERT INTO clinic_slot (
    fhir_id, version, last_updated, extra, schedule_id, bookable_id, status, start, "end", blocks_from, comment,
    service_type, identifier, lies_under
)
SELECT gen_random_uuid()::text, 1, now(), block.extra, block.schedule_id, block.bookable_id, block.status,
    lower(part), upper(part), now(), block.comment, block.service_type, block.identifier, false
FROM clinic_slot block
CROSS JOIN LATERAL unnest(
    tstzmultirange(tstzrange(block.start, block."end")) - coalesce((
        SELECT range_agg(tstzrange(taken.start, taken."end")) FROM clinic_slot taken
        WHERE taken.bookable_id = block.bookable_id AND taken.start < block."end" AND taken."end" > block.start
            AND taken.status LIKE 'busy%' AND taken.deleted_at IS NULL
            AND (NOT taken.lies_under OR taken.id < block.id)
    ), '{}')
) AS part
WHERE block.lies_under AND block.deleted_at IS NULL;
UPDATE clinic_slot SET deleted_at = now(), last_updated = now(), version = version + 1
WHERE lies_under AND deleted_at IS NULL
"""


class Migration(migrations.Migration):
    """Build the constraint again. Meanwhile no Slots can be written: some seconds for each million of them."""

    dependencies = [
        ("clinic", "0017_names_and_addresses_that_count"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="slot",
            name="slot_never_sold_twice",
        ),
        migrations.AddField(
            model_name="slot",
            name="lies_under",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.RunSQL("ALTER TABLE clinic_slot ALTER lies_under SET DEFAULT false", migrations.RunSQL.noop),
        migrations.RunSQL(WHOLE, PARTS),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lies_under", False),
                    models.Q(("appointment__isnull", True), ("status", "busy-unavailable")),
                    _connector="OR",
                ),
                name="slot_of_a_visit_lies_under_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(
                    ("deleted_at__isnull", True),
                    ("status__in", ("busy", "busy-tentative", "busy-unavailable")),
                    ("lies_under", False),
                ),
                expressions=[
                    (
                        models.Func(
                            models.F("bookable"),
                            models.F("bookable"),
                            models.Value("[]"),
                            function="int8range",
                            output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                        ),
                        "&&",
                    ),
                    (
                        models.Func(
                            django.db.models.functions.comparison.Coalesce(models.F("seat"), models.Value(0)),
                            django.db.models.expressions.CombinedExpression(models.F("seat"), "+", models.Value(1)),
                            function="int4range",
                            output_field=django.contrib.postgres.fields.ranges.IntegerRangeField(),
                        ),
                        "&&",
                    ),
                    (
                        models.Func(
                            models.F("start"),
                            models.F("end"),
                            function="tstzrange",
                            output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                    (
                        models.Func(
                            models.F("blocks_from"),
                            models.F("hold_expires_at"),
                            function="tstzrange",
                            output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="slot_never_sold_twice",
                violation_error_message="That time is taken.",
            ),
        ),
    ]
