import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

# Time that comes free is noted where it cannot be forgotten, in the transaction of the change, row by row. The
# conditions of the triggers leave out what takes time, and while nobody waits a cancellation pays for one look at a
# small index. The time of an offer's hold is left out too: whoever ends the hold sees to the time for which it was made.
FUNCTIONS = """
CREATE FUNCTION clinic_note_freed_slot() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    slot clinic_slot := OLD;
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.status = 'free' THEN
        slot := NEW;
    END IF;
    IF slot."end" > statement_timestamp()
        AND EXISTS (SELECT 1 FROM clinic_appointment WHERE status = 'waitlist')
        AND NOT EXISTS (SELECT 1 FROM clinic_waitlistoffer WHERE hold_id = OLD.appointment_id)
    THEN
        INSERT INTO clinic_freedtime (bookable_id, start, "end", appointment_id, was_booked, freed, due)
        VALUES (
            slot.bookable_id, slot.start, slot."end", OLD.appointment_id,
            coalesce(OLD.status = 'busy' AND OLD.appointment_id IS NOT NULL, false), now(), now()
        );
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION clinic_note_new_hours() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM clinic_appointment WHERE status = 'waitlist') THEN
        IF TG_TABLE_NAME = 'clinic_schedule' THEN
            INSERT INTO clinic_freedtime (schedule_id, before, was_booked, freed, due)
            VALUES (
                NEW.id,
                jsonb_build_object(
                    'active', OLD.active, 'planning_start', OLD.planning_start, 'planning_end', OLD.planning_end
                ),
                false, now(), now()
            );
        ELSE
            INSERT INTO clinic_freedtime (schedule_id, service_id, before, was_booked, freed, due)
            VALUES (
                NEW.schedule_id, NEW.service_id,
                jsonb_build_object(
                    'availability', OLD.availability, 'not_available', coalesce(OLD.not_available, '[]')
                ),
                false, now(), now()
            );
        END IF;
    END IF;
    RETURN NULL;
END $$;
"""
OCCUPIES = "{row}.status LIKE 'busy%' AND {row}.deleted_at IS NULL"
OF_NO_BUFFER = "(OLD.appointment_id IS NULL OR OLD.status <> 'busy-unavailable')"
IS_FREE = "NEW.status = 'free' AND NEW.deleted_at IS NULL"
PLACE = "{row}.bookable_id, {row}.start, {row}.\"end\""
TRIGGERS = {
    "note_freed_slot": (
        "UPDATE ON clinic_slot",
        f"({OCCUPIES.format(row='OLD')} AND {OF_NO_BUFFER} AND (NOT ({OCCUPIES.format(row='NEW')})"
        f" OR ({PLACE.format(row='OLD')}) IS DISTINCT FROM ({PLACE.format(row='NEW')})))"
        f" OR ({IS_FREE} AND ({PLACE.format(row='OLD')}, OLD.status) IS DISTINCT FROM"
        f" ({PLACE.format(row='NEW')}, NEW.status))",
        "clinic_note_freed_slot",
    ),
    "note_deleted_slot": (
        "DELETE ON clinic_slot",
        f"{OCCUPIES.format(row='OLD')} AND {OF_NO_BUFFER}",
        "clinic_note_freed_slot",
    ),
    "note_free_slot": ("INSERT ON clinic_slot", IS_FREE, "clinic_note_freed_slot"),
    "note_new_hours": ("INSERT ON clinic_schedulingparameters", "true", "clinic_note_new_hours"),
    "note_changed_hours": (
        "UPDATE ON clinic_schedulingparameters",
        "OLD.availability IS DISTINCT FROM NEW.availability OR NOT NEW.not_available @> OLD.not_available",
        "clinic_note_new_hours",
    ),
    "note_changed_horizon": (
        "UPDATE ON clinic_schedule",
        "(OLD.active, OLD.planning_start, OLD.planning_end) IS DISTINCT FROM"
        " (NEW.active, NEW.planning_start, NEW.planning_end)",
        "clinic_note_new_hours",
    ),
}
CREATE = [
    f"CREATE TRIGGER {name} AFTER {happening} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {function}()"
    for name, (happening, condition, function) in TRIGGERS.items()
]
DROP = [
    *(f"DROP TRIGGER {name} ON {happening.rpartition(' ')[2]}" for name, (happening, _, _) in TRIGGERS.items()),
    "DROP FUNCTION clinic_note_freed_slot(), clinic_note_new_hours()",
]


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0049_payments'),
    ]

    operations = [
        migrations.CreateModel(
            name='FreedTime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start', models.DateTimeField(null=True)),
                ('end', models.DateTimeField(null=True)),
                ('was_booked', models.BooleanField(db_default=False, default=False)),
                ('before', models.JSONField(null=True)),
                ('freed', models.DateTimeField(db_index=True)),
                ('due', models.DateTimeField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('closed', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['freed', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='WaitlistOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start', models.DateTimeField()),
                ('end', models.DateTimeField()),
                ('offered', models.DateTimeField(db_index=True)),
                ('expires', models.DateTimeField()),
                ('answered', models.DateTimeField(null=True)),
                ('outcome', models.CharField(choices=[('open', 'Waiting for an answer'), ('taken', 'Taken'), ('declined', 'Declined'), ('lapsed', 'Not answered in time'), ('gone', 'Withdrawn')], default='open', max_length=10)),
                ('rule', models.CharField(max_length=10)),
                ('passed', models.JSONField(default=list)),
            ],
            options={
                'ordering': ['-offered', '-pk'],
            },
        ),
        migrations.AddField(
            model_name='healthcareservice',
            name='has_waitlist',
            field=models.BooleanField(db_default=True, default=True, help_text='Patients can ask to be offered times that come free.', verbose_name='waiting list'),
        ),
        migrations.AddField(
            model_name='healthcareservice',
            name='waitlist_minutes',
            field=models.PositiveSmallIntegerField(blank=True, help_text="How long a time that came free is kept for one person; empty: as the clinic's setting says.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='minutes to answer'),
        ),
        migrations.AddField(
            model_name='healthcareservice',
            name='waitlist_order',
            field=models.CharField(choices=[('longest', 'Longest waiting first'), ('urgent', 'Most urgent first, as marked by staff'), ('booked', 'Those with a visit booked first, the latest visit before others')], db_default='longest', default='longest', help_text='Who is asked first when a time comes free.', max_length=10, verbose_name='order of the waiting list'),
        ),
        migrations.AlterField(
            model_name='communication',
            name='event',
            field=models.CharField(choices=[("request", "A visit is asked for"), ("staff-request", "A request waits for the staff's answer"), ("suggestion", "The clinic suggests another time for a request"), ("offer", "A time comes free for somebody on the waiting list"), ("confirmation", "A visit is booked"), ("change", "A visit is moved or changed"), ("cancellation", "A visit is cancelled"), ("reminder", "A visit is near"), ("delay", "A visit begins later than planned"), ("refund", "Money is given back"), ("time-lost", "A payment came after the time was gone"), ("fee", "A fee for a missed visit is charged"), ("proof", "A guest proves an email address"), ("reply", "A patient answers by text message"), ("answer", "The clinic answers a patient's text message"), ("referral", "A referrer hears what became of a referral")], max_length=20),
        ),
        migrations.AlterField(
            model_name='messagetemplate',
            name='event',
            field=models.CharField(choices=[("request", "A visit is asked for"), ("staff-request", "A request waits for the staff's answer"), ("suggestion", "The clinic suggests another time for a request"), ("offer", "A time comes free for somebody on the waiting list"), ("confirmation", "A visit is booked"), ("change", "A visit is moved or changed"), ("cancellation", "A visit is cancelled"), ("reminder", "A visit is near"), ("delay", "A visit begins later than planned"), ("refund", "Money is given back"), ("time-lost", "A payment came after the time was gone"), ("fee", "A fee for a missed visit is charged"), ("proof", "A guest proves an email address"), ("reply", "A patient answers by text message"), ("answer", "The clinic answers a patient's text message"), ("referral", "A referrer hears what became of a referral")], max_length=20),
        ),
        migrations.AddField(
            model_name='freedtime',
            name='appointment',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinic.appointment'),
        ),
        migrations.AddField(
            model_name='freedtime',
            name='bookable',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinic.bookable'),
        ),
        migrations.AddField(
            model_name='freedtime',
            name='schedule',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinic.schedule'),
        ),
        migrations.AddField(
            model_name='freedtime',
            name='service',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinic.healthcareservice'),
        ),
        migrations.AddField(
            model_name='waitlistoffer',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_offers', to='clinic.appointment'),
        ),
        migrations.AddField(
            model_name='waitlistoffer',
            name='freed',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='offers', to='clinic.freedtime'),
        ),
        migrations.AddField(
            model_name='waitlistoffer',
            name='hold',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_offer', to='clinic.appointment'),
        ),
        migrations.AddIndex(
            model_name='freedtime',
            index=models.Index(condition=models.Q(('closed__isnull', True)), fields=['due', 'id'], name='freed_time_open'),
        ),
        migrations.AddIndex(
            model_name='waitlistoffer',
            index=models.Index(condition=models.Q(('outcome', 'open')), fields=['expires'], name='waitlist_offer_open'),
        ),
        migrations.AddConstraint(
            model_name='waitlistoffer',
            constraint=models.UniqueConstraint(condition=models.Q(('outcome', 'open')), fields=('entry',), name='waitlist_offer_one_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='waitlistoffer',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('outcome', 'gone'), _negated=True), expressions=[(models.Func(models.F('entry'), models.F('entry'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), (models.Func(models.F('start'), models.F('end'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='waitlist_never_asked_twice'),
        ),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(CREATE, DROP),
    ]
