"""The tables of a new database, the second part. It stands for 0009 to 0093, where the reasons of each thing are.

https://docs.djangoproject.com/en/stable/topics/migrations/#squashing-migrations: a database that has some of them goes
on with the others. The functions here have the same words as there, so that all databases are alike.
"""

from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.fields.ranges import BigIntegerRangeField, DateTimeRangeField, IntegerRangeField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import migrations, models
from django.db.models.expressions import CombinedExpression
from django.db.models.functions.comparison import Coalesce
from django.db.models.functions.datetime import Now
from django.db.models.functions.text import Lower

from clinic.migrations._new_database import EVENTS, MEDIA, AtOnce, resource
from clinic.models.history import keep_versions, keys_of
from clinic.models.receivers import new_message_id
from clinic.models.search_text import (
    CLINIC_FOLDED,
    CLINIC_NAMES,
    CLINIC_TEXTS,
    CLINIC_WORDS,
    CLINIC_WORDS_APART,
    CLINIC_WORDS_SHOWN,
    SearchTextTable,
)

# The data migrations among 0009 to 0093 are left out, so this is for databases without rows only.
REFUSE_ROWS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM clinic_user) THEN
        RAISE EXCEPTION 'This database is of a version before 0.1.0. Install 0.1.0 and run its migrate, then update.';
    END IF;
END $$
"""

VISIT_EVENTS = [
    ("booked", "Booked"),
    ("moved", "Moved"),
    ("cancelled", "Cancelled"),
    ("arrived", "Arrived"),
    ("fulfilled", "Done"),
    ("noshow", "No-show"),
    ("corrected", "Corrected"),
]
NOTICES = [
    ("booked", "New visit"),
    ("moved", "Visit moved"),
    ("cancelled", "Visit cancelled"),
    ("request", "Request"),
    ("failed", "Message not sent"),
]
IMPORTS = [
    ("patients", "Patients"),
    ("practitioners", "Practitioners"),
    ("services", "Services"),
    ("hours", "Hours"),
    ("appointments", "Visits"),
]

PERSON = "family given prefix gender phone email"
WORDS = [
    SearchTextTable("Organization", "name", "identifier"),
    SearchTextTable("Location", "status name line city state postal_code country phone timezone", "identifier"),
    SearchTextTable("Practitioner", f"{PERSON} timezone", "identifier communication"),
    SearchTextTable("Questionnaire", "status url name title", "identifier item"),
    SearchTextTable("HealthcareService", "name comment preparation", "identifier type specialty"),
    SearchTextTable("PractitionerRole", "timezone", "identifier specialty"),
    SearchTextTable("Device", "status name", "identifier"),
    SearchTextTable("Patient", f"{PERSON} language", "identifier"),
    SearchTextTable("RelatedPerson", PERSON, "identifier relationship"),
    SearchTextTable("Coverage", "status subscriber_id", "identifier type payor"),
    SearchTextTable("CareTeam", "status name", "identifier participant"),
    SearchTextTable("Schedule", "comment", "identifier specialty"),
    SearchTextTable("Slot", "status comment", "identifier service_type"),
    SearchTextTable("Appointment", "status comment", "identifier cancelation_reason", people="participant"),
    SearchTextTable("AppointmentResponse", "participant_status comment", "identifier actor participant_type"),
    SearchTextTable("QuestionnaireResponse", "status", "item"),
    SearchTextTable("Encounter", "status encounter_class", "identifier participant"),
    SearchTextTable("Subscription", "status reason criteria channel_type endpoint payload error"),
    SearchTextTable("Communication", "status event language subject body status_reason"),
    SearchTextTable("AuditEvent", "action subtype client target"),
    SearchTextTable("ServiceRequest", "status patient_name reason", "identifier requester"),
    SearchTextTable("Task", "status"),
    SearchTextTable("InsurancePlan", "status name", "identifier"),
]

# Django makes an index for LIKE beside each unique or indexed column of text. These columns are only compared as a
# whole.
LIKE = [
    "clinic_appointment_fhir_id_e21032cc_like",
    "clinic_appointment_held_by_guest_3bbc2047_like",
    "clinic_appointmentresponse_fhir_id_4631deb7_like",
    "clinic_auditevent_fhir_id_cf577203_like",
    "clinic_careteam_fhir_id_e260bd9f_like",
    "clinic_communication_fhir_id_75d20b34_like",
    "clinic_communication_provider_id_40dbe563_like",
    "clinic_coverage_fhir_id_8e35a002_like",
    "clinic_device_fhir_id_a4863193_like",
    "clinic_encounter_fhir_id_ce4f8c32_like",
    "clinic_healthcareservice_fhir_id_57f4e120_like",
    "clinic_location_fhir_id_22f037ca_like",
    "clinic_organization_fhir_id_57ea04f2_like",
    "clinic_patient_fhir_id_7156f81b_like",
    "clinic_practitioner_fhir_id_e55963d3_like",
    "clinic_practitionerrole_fhir_id_94e3ea23_like",
    "clinic_questionnaire_fhir_id_dda1ff55_like",
    "clinic_questionnaireresponse_fhir_id_b510a84b_like",
    "clinic_relatedperson_fhir_id_8e930a20_like",
    "clinic_schedule_fhir_id_6e2756ed_like",
    "clinic_slot_fhir_id_2a2b48e5_like",
    "clinic_subscription_fhir_id_a7431fb2_like",
]

# scheduling/availability/offering_cache.py says why the stamp is a set of random numbers.
STAMP = """
CREATE TABLE clinic_offeringstamp (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
INSERT INTO clinic_offeringstamp DEFAULT VALUES;

CREATE FUNCTION clinic_stamp_offerings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    transaction text := pg_current_xact_id();
BEGIN
    IF split_part(coalesce(current_setting('clinic.offerings_changed', true), ''), ' ', 1) <> transaction THEN
        DELETE FROM clinic_offeringstamp WHERE id IN (SELECT id FROM clinic_offeringstamp FOR UPDATE SKIP LOCKED);
        INSERT INTO clinic_offeringstamp DEFAULT VALUES;
    END IF;
    PERFORM set_config('clinic.offerings_changed', transaction || ' ' || gen_random_uuid(), true);
    RETURN NULL;
END $$;
"""
STAMPED = (
    "bookable closure device healthcareservice location practitioner practitionerrole schedule schedule_services"
    " schedulingparameters"
).split()
STAMP_OFFERINGS = [
    STAMP,
    *(
        f"CREATE TRIGGER stamp_offerings AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clinic_{table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION clinic_stamp_offerings()"
        for table in STAMPED
    ),
    # The id is all that an offering has of a patient, whose other columns change often.
    "CREATE TRIGGER stamp_offerings AFTER UPDATE OF fhir_id ON clinic_patient FOR EACH ROW"
    " WHEN (OLD.fhir_id <> NEW.fhir_id) EXECUTE FUNCTION clinic_stamp_offerings()",
]

# Free time changes with whom it is of: who leaves, a role that ends, a room or a site that is closed, a device.
WHOSE_FUNCTIONS = """
CREATE FUNCTION clinic_note_practitioners() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF clinic_is_subscribed() THEN
        INSERT INTO clinic_schedulechange (bookable)
        SELECT bookable.id FROM before JOIN after ON after.id = before.id
        JOIN clinic_bookable bookable ON bookable.practitioner_id = after.id
        WHERE (before.active, before.deleted_at) IS DISTINCT FROM (after.active, after.deleted_at);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION clinic_note_roles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF clinic_is_subscribed() THEN
        INSERT INTO clinic_schedulechange (schedule)
        SELECT schedule.id FROM before JOIN after ON after.id = before.id
        JOIN clinic_schedule schedule ON schedule.practitioner_role_id = after.id
        WHERE (before.active, before.deleted_at, before.extra->'period', before.extra->'notAvailable')
            IS DISTINCT FROM (after.active, after.deleted_at, after.extra->'period', after.extra->'notAvailable');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION clinic_note_devices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF clinic_is_subscribed() THEN
        INSERT INTO clinic_schedulechange (bookable)
        SELECT bookable.id FROM before JOIN after ON after.id = before.id
        JOIN clinic_bookable bookable ON bookable.device_id = after.id
        WHERE (before.status, before.deleted_at) IS DISTINCT FROM (after.status, after.deleted_at);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION clinic_note_locations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF clinic_is_subscribed() THEN
        INSERT INTO clinic_schedulechange (schedule)
        SELECT DISTINCT schedule.id FROM before JOIN after ON after.id = before.id
        JOIN clinic_location place ON place.id = after.id OR place.part_of_id = after.id
        LEFT JOIN clinic_device device ON device.location_id = place.id
        JOIN clinic_bookable bookable ON bookable.location_id = place.id OR bookable.device_id = device.id
        JOIN clinic_schedule schedule ON schedule.bookable_id = bookable.id
        WHERE (before.status, before.deleted_at) IS DISTINCT FROM (after.status, after.deleted_at)
        UNION
        SELECT schedule.id FROM before JOIN after ON after.id = before.id
        JOIN clinic_schedule schedule ON schedule.site_id = after.id
        WHERE (before.status, before.deleted_at) IS DISTINCT FROM (after.status, after.deleted_at);
    END IF;
    RETURN NULL;
END $$;
"""
NOTED = {
    "practitioner": "clinic_note_practitioners",
    "practitionerrole": "clinic_note_roles",
    "device": "clinic_note_devices",
    "location": "clinic_note_locations",
}
NOTE_WHOSE_TIME_IT_IS = [
    WHOSE_FUNCTIONS,
    *(
        f"CREATE TRIGGER note_update AFTER UPDATE ON clinic_{table} REFERENCING OLD TABLE AS before NEW TABLE AS after"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        for table, function in NOTED.items()
    ),
]

# What happens to a visit is noted where it cannot be forgotten, in the transaction of the change. Nothing is written
# while nobody reads the events: a booking then pays for one look at a table with a few rows.
NOTE_VISITS = [
    "CREATE SEQUENCE clinic_visitevent_number OWNED BY clinic_visitevent.number",
    """
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
""",
    """
CREATE TRIGGER note_created_visit AFTER INSERT ON clinic_appointment FOR EACH ROW
    WHEN (NEW.status IN ('booked', 'arrived', 'checked-in'))
    EXECUTE FUNCTION clinic_note_visit()
""",
    """
CREATE TRIGGER note_changed_visit AFTER UPDATE ON clinic_appointment FOR EACH ROW
    WHEN (
        (OLD.status, OLD.start, OLD."end", OLD.sequence) IS DISTINCT FROM
        (NEW.status, NEW.start, NEW."end", NEW.sequence)
    )
    EXECUTE FUNCTION clinic_note_visit()
""",
]

# Subscriptions to events of visits need no changes of free time.
IS_SUBSCRIBED = """
CREATE OR REPLACE FUNCTION clinic_is_subscribed() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM clinic_subscription WHERE status = 'active' AND deleted_at IS NULL
        AND topic IN ('', 'slot-changed'))
$$
"""

# The other patients of a visit follow its participants wherever they are written. The triggers' condition leaves out
# visits of one patient, which are nearly all.
SEVERAL = """
    jsonb_array_length(
        jsonb_path_query_array({row}.participant, '$[*].actor.reference ? (@ starts with "Patient/")')
    ) > 1
"""
NOTE_PATIENTS = [
    """
CREATE FUNCTION clinic_note_patients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM clinic_appointmentpatient WHERE appointment_id = NEW.id;
    INSERT INTO clinic_appointmentpatient (appointment_id, patient_id, has_left)
    SELECT NEW.id, patient.id, bool_and(coalesce(part ->> 'status', '') = 'declined')
    FROM jsonb_array_elements(NEW.participant) AS part
    JOIN clinic_patient patient ON patient.fhir_id = substr(part #>> '{actor,reference}', 9)
    WHERE part #>> '{actor,reference}' LIKE 'Patient/%' AND patient.id IS DISTINCT FROM NEW.patient_id AND true
    GROUP BY NEW.id, patient.id;
    RETURN NULL;
END
$$
""",
    f"""
CREATE TRIGGER note_patients_of_new_visit AFTER INSERT ON clinic_appointment FOR EACH ROW
    WHEN ({SEVERAL.format(row="NEW")})
    EXECUTE FUNCTION clinic_note_patients()
""",
    f"""
CREATE TRIGGER note_patients_of_visit AFTER UPDATE OF participant, patient_id ON clinic_appointment FOR EACH ROW
    WHEN ({SEVERAL.format(row="NEW")} OR {SEVERAL.format(row="OLD")})
    EXECUTE FUNCTION clinic_note_patients()
""",
]

# Time that comes free is noted where it cannot be forgotten, in the transaction of the change, row by row. The
# conditions of the triggers leave out what takes time, and while nobody waits a cancellation pays for one look at a
# small index. The time of an offer's hold is left out too if it came free: whoever ends the hold sees to the time for
# which it was made.
FREED_FUNCTIONS = """
CREATE FUNCTION clinic_note_freed_slot() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    slot clinic_slot := OLD;
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.status = 'free' THEN
        slot := NEW;
    END IF;
    IF slot."end" > statement_timestamp()
        AND EXISTS (SELECT 1 FROM clinic_appointment WHERE status = 'waitlist')
        AND NOT EXISTS (SELECT 1 FROM clinic_waitlistoffer WHERE hold_id = OLD.appointment_id AND freed_id IS NOT NULL)
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
PLACE = '{row}.bookable_id, {row}.start, {row}."end"'
FREED = {
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
NOTE_FREED_TIME = [
    FREED_FUNCTIONS,
    *(
        f"CREATE TRIGGER {name} AFTER {happening} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {function}()"
        for name, (happening, condition, function) in FREED.items()
    ),
]

# Who keeps a copy of free time is told of the days of a closure, a day more on either side for all zones.
NOTE_CLOSURES = """
CREATE FUNCTION clinic_note_closures() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    closure clinic_closure := coalesce(NEW, OLD);
BEGIN
    IF clinic_is_subscribed() THEN
        INSERT INTO clinic_schedulechange (schedule, start, "end")
        SELECT schedule.id,
            CASE WHEN NOT closure.yearly THEN (closure.first - 1)::timestamp AT TIME ZONE 'UTC' END,
            CASE WHEN NOT closure.yearly THEN (closure.last + 2)::timestamp AT TIME ZONE 'UTC' END
        FROM clinic_schedule schedule
        JOIN clinic_bookable bookable ON bookable.id = schedule.bookable_id
        LEFT JOIN clinic_device device ON device.id = bookable.device_id
        LEFT JOIN clinic_location room ON room.id = coalesce(bookable.location_id, device.location_id)
        WHERE num_nonnulls(closure.practitioner_id, closure.location_id, closure.device_id) = 0
            OR closure.practitioner_id = bookable.practitioner_id OR closure.device_id = bookable.device_id
            OR closure.location_id IN (room.id, room.part_of_id, schedule.site_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_closures AFTER INSERT OR UPDATE OR DELETE ON clinic_closure
    FOR EACH ROW EXECUTE FUNCTION clinic_note_closures();
"""


TABLES = [
    # clinic/models/people.py
    migrations.CreateModel(
        "PractitionerPhoto",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "practitioner",
                models.OneToOneField(on_delete=models.CASCADE, related_name="photo", to="clinic.practitioner"),
            ),
            ("digest", models.CharField(db_index=True, max_length=64)),
            ("image", models.BinaryField()),
        ],
    ),
    # clinic/models/service_types.py
    migrations.CreateModel(
        "ServiceType",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("code", models.SlugField(editable=False, max_length=64, unique=True)),
            ("name", models.CharField(max_length=200)),
        ],
        options={
            "ordering": ["name", "pk"],
            "constraints": [
                models.UniqueConstraint(
                    Lower("name"),
                    name="service_type_once",
                    violation_error_message="There is a service type with this name already.",
                )
            ],
        },
    ),
    # clinic/models/schedule.py
    migrations.CreateModel(
        "KeptTimeCheck",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "schedule",
                models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name="+", to="clinic.schedule"),
            ),
            (
                "service",
                models.ForeignKey(
                    db_index=False, on_delete=models.CASCADE, related_name="+", to="clinic.healthcareservice"
                ),
            ),
            ("kept", models.JSONField()),
            ("checked", models.DateTimeField()),
            ("next_release", models.DateTimeField(null=True)),
        ],
        options={
            "constraints": [models.UniqueConstraint(fields=("schedule", "service"), name="kept_time_is_checked_once")]
        },
    ),
    # clinic/models/appointment.py
    migrations.CreateModel(
        "AppointmentPatient",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "appointment",
                models.ForeignKey(on_delete=models.CASCADE, related_name="other_patients", to="clinic.appointment"),
            ),
            (
                "patient",
                models.ForeignKey(on_delete=models.PROTECT, related_name="visits_with_others", to="clinic.patient"),
            ),
            ("has_left", models.BooleanField(default=False)),
        ],
        options={
            "constraints": [models.UniqueConstraint(fields=("appointment", "patient"), name="appointment_patient_once")]
        },
    ),
    # clinic/models/events.py
    migrations.CreateModel(
        "VisitEvent",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.BigIntegerField(editable=False, null=True, unique=True)),
            ("kind", models.CharField(choices=VISIT_EVENTS, max_length=10)),
            (
                "appointment",
                models.ForeignKey(
                    db_index=False, on_delete=models.CASCADE, related_name="events", to="clinic.appointment"
                ),
            ),
            ("version", models.PositiveIntegerField()),
            ("occurred", models.DateTimeField(db_index=True)),
        ],
        options={
            "ordering": ["number", "pk"],
            "indexes": [
                models.Index(condition=models.Q(("number__isnull", True)), fields=["id"], name="visit_event_new")
            ],
        },
    ),
    migrations.CreateModel(
        "EventConsumer",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=50, unique=True)),
            ("place", models.BigIntegerField()),
        ],
    ),
    # clinic/models/waitlist.py
    migrations.CreateModel(
        "FreedTime",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "bookable",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.CASCADE, related_name="+", to="clinic.bookable"
                ),
            ),
            (
                "schedule",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.CASCADE, related_name="+", to="clinic.schedule"
                ),
            ),
            (
                "service",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.CASCADE, related_name="+", to="clinic.healthcareservice"
                ),
            ),
            ("start", models.DateTimeField(null=True)),
            ("end", models.DateTimeField(null=True)),
            (
                "appointment",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.CASCADE, related_name="+", to="clinic.appointment"
                ),
            ),
            ("was_booked", models.BooleanField(db_default=False, default=False)),
            ("before", models.JSONField(null=True)),
            ("freed", models.DateTimeField(db_index=True)),
            ("due", models.DateTimeField(null=True)),
            ("claimed_until", models.DateTimeField(null=True)),
            ("closed", models.DateTimeField(null=True)),
        ],
        options={
            "ordering": ["freed", "pk"],
            "indexes": [
                models.Index(condition=models.Q(("closed__isnull", True)), fields=["due", "id"], name="freed_time_open")
            ],
        },
    ),
    migrations.CreateModel(
        "WaitlistOffer",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "entry",
                models.ForeignKey(on_delete=models.PROTECT, related_name="waitlist_offers", to="clinic.appointment"),
            ),
            (
                "hold",
                models.OneToOneField(on_delete=models.PROTECT, related_name="waitlist_offer", to="clinic.appointment"),
            ),
            (
                "freed",
                models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="offers", to="clinic.freedtime"),
            ),
            ("start", models.DateTimeField()),
            ("end", models.DateTimeField()),
            ("offered", models.DateTimeField(db_index=True)),
            ("expires", models.DateTimeField()),
            ("answered", models.DateTimeField(null=True)),
            (
                "outcome",
                models.CharField(
                    choices=[
                        ("open", "Waiting for an answer"),
                        ("taken", "Taken"),
                        ("declined", "Declined"),
                        ("lapsed", "Not answered in time"),
                        ("gone", "Withdrawn"),
                    ],
                    default="open",
                    max_length=10,
                ),
            ),
            ("rule", models.CharField(max_length=10)),
            ("passed", models.JSONField(default=list)),
        ],
        options={
            "ordering": ["-offered", "-pk"],
            "indexes": [
                models.Index(condition=models.Q(("outcome", "open")), fields=["expires"], name="waitlist_offer_open")
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("outcome", "open")), fields=("entry",), name="waitlist_offer_one_at_a_time"
                ),
                ExclusionConstraint(
                    condition=models.Q(("outcome", "gone"), _negated=True),
                    expressions=[
                        (
                            models.Func(
                                models.F("entry"),
                                models.F("entry"),
                                models.Value("[]"),
                                function="int8range",
                                output_field=BigIntegerRangeField(),
                            ),
                            "&&",
                        ),
                        (
                            models.Func(
                                models.F("start"),
                                models.F("end"),
                                function="tstzrange",
                                output_field=DateTimeRangeField(),
                            ),
                            "&&",
                        ),
                    ],
                    name="waitlist_never_asked_twice",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "WaitlistCall",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "entry",
                models.ForeignKey(on_delete=models.CASCADE, related_name="waitlist_calls", to="clinic.appointment"),
            ),
            (
                "outcome",
                models.CharField(
                    choices=[
                        ("no-answer", "No answer"),
                        ("message-left", "Left a message"),
                        ("thinks", "Will call back"),
                        ("declined", "Does not want the time"),
                        ("accepted", "Takes the time"),
                        ("other", "Something else"),
                    ],
                    max_length=12,
                ),
            ),
            ("note", models.CharField(blank=True, max_length=200)),
            ("called", models.DateTimeField(db_index=True)),
            (
                "called_by",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={"ordering": ["-called", "-pk"]},
    ),
    # clinic/models/delays.py
    migrations.CreateModel(
        "Delay",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "bookable",
                models.ForeignKey(
                    db_index=False, on_delete=models.CASCADE, related_name="delays", to="clinic.bookable"
                ),
            ),
            ("day", models.DateField()),
            ("minutes", models.PositiveSmallIntegerField(validators=[MinValueValidator(5), MaxValueValidator(480)])),
            ("former", models.PositiveSmallIntegerField(editable=False, null=True)),
            ("since", models.DateTimeField()),
            ("revision", models.PositiveIntegerField(default=1)),
            ("ended", models.DateTimeField(editable=False, null=True)),
        ],
        options={
            "ordering": ["day", "pk"],
            "constraints": [
                models.UniqueConstraint(fields=("day", "bookable"), name="delay_once_a_day"),
                models.CheckConstraint(condition=models.Q(("minutes__range", (5, 480))), name="delay_in_bounds"),
            ],
        },
    ),
    # clinic/models/absences.py
    migrations.CreateModel(
        "Absence",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("bookable", models.ForeignKey(on_delete=models.PROTECT, related_name="absences", to="clinic.bookable")),
            ("start", models.DateTimeField()),
            ("end", models.DateTimeField()),
            ("reason", models.CharField(blank=True, max_length=200)),
            ("notice", models.CharField(blank=True, max_length=300)),
            ("block", models.UUIDField(default=uuid4, editable=False)),
            (
                "closure",
                models.ForeignKey(
                    db_index=False,
                    editable=False,
                    null=True,
                    on_delete=models.SET_NULL,
                    related_name="absences",
                    to="clinic.closure",
                ),
            ),
            ("created", models.DateTimeField(editable=False)),
            (
                "created_by",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("version", models.PositiveIntegerField(default=1, editable=False)),
            ("offered", models.DateTimeField(editable=False, null=True)),
            ("send_from", models.DateTimeField(editable=False, null=True)),
            ("ended", models.DateTimeField(editable=False, null=True)),
        ],
        options={
            "ordering": ["start", "pk"],
            "constraints": [
                models.CheckConstraint(condition=models.Q(("start__lt", models.F("end"))), name="absence_takes_time")
            ],
        },
    ),
    migrations.CreateModel(
        "Rebooking",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("absence", models.ForeignKey(on_delete=models.CASCADE, related_name="rebookings", to="clinic.absence")),
            (
                "appointment",
                models.ForeignKey(on_delete=models.PROTECT, related_name="rebookings", to="clinic.appointment"),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("waiting", "Looking for times"),
                        ("ready", "Times are held"),
                        ("offered", "Waiting for an answer"),
                        ("call", "To be called"),
                        ("withdrawn", "Taken back"),
                        ("returned", "Stays as booked, to be told"),
                        ("moved", "Moved"),
                        ("cancelled", "Cancelled"),
                        ("kept", "Stays as booked"),
                    ],
                    default="waiting",
                    max_length=10,
                ),
            ),
            (
                "why",
                models.CharField(
                    blank=True,
                    choices=[
                        ("no-address", "No way to write to them"),
                        ("no-times", "No other time was found"),
                        ("asked", "Asks for a call"),
                        ("no-answer", "Did not answer in time"),
                        ("several", "Several patients come to the visit"),
                    ],
                    max_length=10,
                ),
            ),
            ("offered", models.DateTimeField(null=True)),
            ("expires", models.DateTimeField(null=True)),
            ("reminded", models.DateTimeField(null=True)),
            ("answered", models.DateTimeField(null=True)),
            ("claimed_until", models.DateTimeField(null=True)),
        ],
        options={
            "ordering": ["appointment__start", "pk"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("state__in", ["moved", "cancelled", "kept"]), _negated=True),
                    fields=("appointment",),
                    name="rebooking_once_at_a_time",
                )
            ],
        },
    ),
    # clinic/models/closures.py
    migrations.CreateModel(
        "Closure",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "practitioner",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.CASCADE, related_name="closures", to="clinic.practitioner"
                ),
            ),
            (
                "location",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.CASCADE, related_name="closures", to="clinic.location"
                ),
            ),
            (
                "device",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.CASCADE, related_name="closures", to="clinic.device"
                ),
            ),
            ("first", models.DateField()),
            ("starts", models.TimeField(blank=True, null=True)),
            ("last", models.DateField()),
            ("ends", models.TimeField(blank=True, null=True)),
            ("yearly", models.BooleanField(db_default=False, default=False)),
            ("reason", models.CharField(blank=True, db_default="", default="", max_length=200)),
            (
                "is_public",
                models.BooleanField(db_default=False, default=False, verbose_name="patients read the reason"),
            ),
            ("country", models.CharField(blank=True, db_default="", default="", editable=False, max_length=2)),
            ("region", models.CharField(blank=True, db_default="", default="", editable=False, max_length=50)),
            ("holiday", models.CharField(blank=True, db_default="", default="", editable=False, max_length=200)),
            ("names", models.JSONField(blank=True, db_default={}, default=dict, editable=False)),
            ("by_rule", models.BooleanField(db_default=False, default=False, editable=False)),
            ("removed_at", models.DateTimeField(editable=False, null=True)),
        ],
        options={
            "ordering": ["first", "starts", "pk"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("location", None), ("practitioner", None)),
                        models.Q(("device", None), ("practitioner", None)),
                        models.Q(("device", None), ("location", None)),
                        _connector="OR",
                    ),
                    name="closure_of_one_actor",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("first__lt", models.F("last")),
                        models.Q(("first", models.F("last")), ("starts", None)),
                        models.Q(("ends", None), ("first", models.F("last"))),
                        models.Q(("first", models.F("last")), ("starts__lt", models.F("ends"))),
                        _connector="OR",
                    ),
                    name="closure_ends_after_start",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("yearly", False),
                        ("last__lt", CombinedExpression(models.F("first"), "+", models.Value(timedelta(days=365)))),
                        _connector="OR",
                    ),
                    name="closure_yearly_within_a_year",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("holiday", ""), _negated=True),
                    fields=("location", "practitioner", "device", "country", "region", "holiday", "first"),
                    name="closure_holiday_once",
                    nulls_distinct=False,
                ),
            ],
        },
    ),
    # clinic/models/plans.py
    migrations.CreateModel(
        "InsurancePlan",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[("draft", "Draft"), ("active", "Active"), ("retired", "Retired"), ("unknown", "Unknown")],
                    default="active",
                    max_length=10,
                ),
            ),
            ("name", models.CharField(max_length=200)),
            (
                "payer",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="insurance_plans",
                    to="clinic.organization",
                ),
            ),
            ("identifier", models.JSONField(blank=True, default=list)),
            (
                "services",
                models.ManyToManyField(
                    blank=True,
                    help_text="Empty: for all services.",
                    related_name="insurance_plans",
                    to="clinic.healthcareservice",
                ),
            ),
            (
                "locations",
                models.ManyToManyField(
                    blank=True, help_text="Empty: at all sites.", related_name="insurance_plans", to="clinic.location"
                ),
            ),
        ],
        options={
            "ordering": ["name", "pk"],
            "indexes": [
                GinIndex(fields=["identifier"], name="insurance_plan_identifier", opclasses=["jsonb_path_ops"])
            ],
        },
    ),
    # clinic/models/referrals.py
    migrations.CreateModel(
        "ServiceRequest",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("draft", "Draft"),
                        ("active", "Active"),
                        ("on-hold", "On Hold"),
                        ("revoked", "Revoked"),
                        ("completed", "Completed"),
                        ("entered-in-error", "Entered In Error"),
                        ("unknown", "Unknown"),
                    ],
                    default="active",
                    max_length=20,
                ),
            ),
            (
                "intent",
                models.CharField(
                    choices=[
                        ("proposal", "Proposal"),
                        ("plan", "Plan"),
                        ("directive", "Directive"),
                        ("order", "Order"),
                        ("original-order", "Original Order"),
                        ("reflex-order", "Reflex Order"),
                        ("filler-order", "Filler Order"),
                        ("instance-order", "Instance Order"),
                        ("option", "Option"),
                    ],
                    default="order",
                    max_length=20,
                ),
            ),
            (
                "patient",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="referrals", to="clinic.patient"
                ),
            ),
            ("patient_name", models.CharField(blank=True, max_length=400)),
            (
                "service",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="referrals",
                    to="clinic.healthcareservice",
                ),
            ),
            (
                "requester",
                models.JSONField(blank=True, help_text="FHIR Reference.", null=True, verbose_name="referred by"),
            ),
            (
                "referred_by",
                models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=models.SET_NULL,
                    related_name="referrals",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            ("reason", models.TextField(blank=True)),
            ("authored", models.DateTimeField(blank=True, null=True, verbose_name="made")),
            ("valid_until", models.DateTimeField(blank=True, null=True)),
            ("end_told", models.DateTimeField(blank=True, editable=False, null=True)),
            (
                "contact_media",
                ArrayField(
                    models.CharField(choices=MEDIA, max_length=10),
                    blank=True,
                    db_default=[],
                    default=list,
                    editable=False,
                ),
            ),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "verbose_name": "referral",
            "ordering": ["-authored", "-pk"],
            "indexes": [
                GinIndex(fields=["identifier"], name="referral_identifier", opclasses=["jsonb_path_ops"]),
                models.Index(
                    condition=models.Q(
                        ("end_told__isnull", True), ("referred_by__isnull", False), ("status", "active")
                    ),
                    fields=["valid_until"],
                    name="referral_not_ended",
                ),
            ],
        },
    ),
    # clinic/models/recalls.py
    migrations.CreateModel(
        "Task",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("requested", "Requested"),
                        ("in-progress", "In Progress"),
                        ("completed", "Completed"),
                        ("rejected", "Rejected"),
                        ("cancelled", "Cancelled"),
                    ],
                    default="requested",
                    max_length=20,
                ),
            ),
            ("patient", models.ForeignKey(on_delete=models.PROTECT, related_name="recalls", to="clinic.patient")),
            (
                "service",
                models.ForeignKey(on_delete=models.PROTECT, related_name="recalls", to="clinic.healthcareservice"),
            ),
            (
                "practitioner",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="recalls", to="clinic.practitioner"
                ),
            ),
            (
                "appointment",
                models.ForeignKey(on_delete=models.PROTECT, related_name="recalls", to="clinic.appointment"),
            ),
            (
                "booked",
                models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=models.SET_NULL,
                    related_name="ended_recalls",
                    to="clinic.appointment",
                ),
            ),
            ("due", models.DateField(help_text="The patient is to be seen again from this day on.")),
            ("note", models.CharField(blank=True, help_text="Staff see it, the patient does not.", max_length=500)),
            ("by_rule", models.BooleanField(default=False, editable=False)),
            ("authored", models.DateTimeField(editable=False, verbose_name="made")),
            ("messages", models.PositiveSmallIntegerField(default=0, editable=False, verbose_name="times told")),
            ("next_message", models.DateTimeField(blank=True, editable=False, null=True)),
        ],
        options={
            "verbose_name": "recall",
            "ordering": ["due", "pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(("status__in", ["requested", "in-progress"])), fields=["due"], name="recall_open"
                )
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("by_rule", True)), fields=("appointment",), name="recall_by_rule_once"
                )
            ],
        },
    ),
    # clinic/models/staff_messages.py
    migrations.CreateModel(
        "StaffMessage",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("calendars", models.JSONField(default=list)),
            ("first", models.DateField(null=True)),
            ("last", models.DateField(null=True)),
            (
                "absence",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.SET_NULL, related_name="+", to="clinic.absence"
                ),
            ),
            (
                "service",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.PROTECT, related_name="+", to="clinic.healthcareservice"
                ),
            ),
            ("subject", models.CharField(max_length=120)),
            ("body", models.TextField()),
            ("version", models.PositiveIntegerField(default=1)),
            ("created", models.DateTimeField(db_index=True)),
            (
                "created_by",
                models.ForeignKey(on_delete=models.PROTECT, related_name="staff_messages", to=settings.AUTH_USER_MODEL),
            ),
            ("sent", models.DateTimeField(null=True)),
            ("withdrawn", models.DateTimeField(null=True)),
        ],
        options={"ordering": ["-created", "-pk"]},
    ),
    # clinic/models/details.py
    migrations.CreateModel(
        "CardPhoto",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("coverage", models.ForeignKey(on_delete=models.CASCADE, related_name="photos", to="clinic.coverage")),
            ("side", models.CharField(choices=[("front", "Front"), ("back", "Back")], max_length=5)),
            ("image", models.BinaryField()),
            ("taken", models.DateTimeField()),
        ],
        options={
            "ordering": ["coverage", "-side"],
            "constraints": [models.UniqueConstraint(fields=("coverage", "side"), name="card_photo_once")],
        },
    ),
    migrations.CreateModel(
        "DetailsChange",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "patient",
                models.ForeignKey(on_delete=models.PROTECT, related_name="details_changes", to="clinic.patient"),
            ),
            ("changes", models.JSONField()),
            (
                "status",
                models.CharField(
                    choices=[("waiting", "Waiting"), ("accepted", "Accepted"), ("declined", "Declined")],
                    default="waiting",
                    max_length=10,
                ),
            ),
            ("created", models.DateTimeField()),
            (
                "requested_by",
                models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
            ),
            ("decided", models.DateTimeField(blank=True, null=True)),
            (
                "decided_by",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("reason", models.TextField(blank=True)),
        ],
        options={
            "ordering": ["-created", "-pk"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("status", "waiting")), fields=("patient",), name="details_change_waits_once"
                )
            ],
        },
    ),
    # clinic/models/duplicates.py
    migrations.CreateModel(
        "DuplicatePair",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "first",
                models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name="+", to="clinic.patient"),
            ),
            ("second", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="clinic.patient")),
            ("score", models.PositiveSmallIntegerField()),
            (
                "reasons",
                ArrayField(
                    models.CharField(
                        choices=[
                            ("name", "Similar name"),
                            ("birth-date", "Same date of birth"),
                            ("contact", "Same phone number or email address"),
                            ("identifier", "Same record number"),
                        ],
                        max_length=20,
                    )
                ),
            ),
            ("found", models.DateTimeField()),
            ("rejected", models.DateTimeField(blank=True, null=True)),
            (
                "rejected_by",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "ordering": ["-score", "pk"],
            "indexes": [
                models.Index(condition=models.Q(("rejected", None)), fields=["-score"], name="duplicate_pair_open")
            ],
            "constraints": [
                models.UniqueConstraint(fields=("first", "second"), name="duplicate_pair_once"),
                models.CheckConstraint(
                    condition=models.Q(("first__lt", models.F("second"))), name="duplicate_pair_in_order"
                ),
            ],
        },
    ),
    # clinic/models/merges.py
    migrations.CreateModel(
        "PatientMerge",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("source", models.ForeignKey(on_delete=models.PROTECT, related_name="merges", to="clinic.patient")),
            ("target", models.ForeignKey(on_delete=models.PROTECT, related_name="merges_into", to="clinic.patient")),
            ("merged_at", models.DateTimeField()),
            ("undone_at", models.DateTimeField(blank=True, null=True)),
            ("source_before", models.PositiveIntegerField()),
            ("source_after", models.PositiveIntegerField()),
            ("target_before", models.PositiveIntegerField()),
            ("target_after", models.PositiveIntegerField()),
            (
                "account",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("moved", models.JSONField(default=dict)),
            ("accounts", models.JSONField(default=dict)),
        ],
        options={
            "ordering": ["-merged_at", "-pk"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("undone_at__isnull", True)), fields=("source",), name="patient_merged_once"
                )
            ],
        },
    ),
    # clinic/models/patient_notes.py
    migrations.CreateModel(
        "PatientNote",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "patient",
                models.ForeignKey(
                    db_index=False, on_delete=models.PROTECT, related_name="staff_notes", to="clinic.patient"
                ),
            ),
            (
                "appointment",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="staff_notes", to="clinic.appointment"
                ),
            ),
            ("text", models.TextField(max_length=4000)),
            (
                "author",
                models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
            ),
            ("written", models.DateTimeField()),
            (
                "replaces",
                models.OneToOneField(
                    null=True, on_delete=models.SET_NULL, related_name="replacement", to="clinic.patientnote"
                ),
            ),
            ("ended", models.DateTimeField(db_index=True, null=True)),
            (
                "ended_by",
                models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
            ),
        ],
        options={
            "ordering": ["-written", "-pk"],
            "indexes": [
                models.Index(fields=["patient", "-written"], name="note_of_patient"),
                GinIndex(SearchVector("text", config="simple"), condition=models.Q(("ended", None)), name="note_words"),
            ],
        },
    ),
    # clinic/models/erasures.py
    migrations.CreateModel(
        "Erasure",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("patient", models.ForeignKey(on_delete=models.PROTECT, related_name="erasures", to="clinic.patient")),
            (
                "status",
                models.CharField(
                    choices=[
                        ("waiting", "Waiting"),
                        ("withdrawn", "Withdrawn"),
                        ("declined", "Declined"),
                        ("done", "Done"),
                    ],
                    default="waiting",
                    max_length=10,
                ),
            ),
            ("created", models.DateTimeField()),
            (
                "requested_by",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("decided", models.DateTimeField(blank=True, null=True)),
            (
                "decided_by",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("reason", models.TextField(blank=True)),
            ("deleted", models.JSONField(default=dict)),
            ("kept", models.JSONField(default=dict)),
        ],
        options={
            "ordering": ["-created", "-pk"],
            "indexes": [models.Index(condition=models.Q(("status", "done")), fields=["-decided"], name="erasure_done")],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("status", "waiting")), fields=("patient",), name="erasure_waits_once"
                )
            ],
        },
    ),
    # clinic/models/payments.py
    migrations.CreateModel(
        "Payment",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("reference", models.UUIDField(default=uuid4, editable=False, unique=True)),
            ("patient", models.ForeignKey(on_delete=models.PROTECT, related_name="payments", to="clinic.patient")),
            (
                "purpose",
                models.CharField(
                    choices=[
                        ("whole", "The whole price"),
                        ("deposit", "A deposit"),
                        ("card", "A card, charged only for a missed visit"),
                        ("balance", "What was still to be paid"),
                        ("fee", "The fee for a missed visit"),
                    ],
                    max_length=10,
                ),
            ),
            (
                "status",
                models.CharField(
                    choices=[
                        ("created", "Begun"),
                        ("paying", "Being paid"),
                        ("authorised", "Reserved on the card"),
                        ("paid", "Paid"),
                        ("kept", "Card kept"),
                        ("failed", "Failed"),
                        ("expired", "Not paid in time"),
                        ("released", "Card not charged"),
                        ("partly-refunded", "Partly refunded"),
                        ("refunded", "Refunded"),
                        ("waived", "Waived"),
                        ("charged", "Fee charged"),
                    ],
                    default="created",
                    max_length=20,
                ),
            ),
            ("amount", models.PositiveIntegerField(default=0)),
            ("refunded", models.PositiveIntegerField(default=0)),
            ("fee", models.PositiveIntegerField(default=0, help_text="What may be charged for a missed visit.")),
            ("currency", models.CharField(max_length=3)),
            ("terms", models.TextField(blank=True)),
            ("agreed", models.DateTimeField(blank=True, help_text="When the terms were agreed to.", null=True)),
            ("reason", models.TextField(blank=True, help_text="Why it was waived, or failed.")),
            ("session", models.CharField(blank=True, db_index=True, editable=False, max_length=200)),
            ("url", models.TextField(blank=True, editable=False)),
            ("intent", models.CharField(blank=True, editable=False, max_length=200)),
            ("customer", models.CharField(blank=True, editable=False, max_length=200)),
            ("card", models.CharField(blank=True, editable=False, max_length=200)),
            ("created", models.DateTimeField()),
            ("last_updated", models.DateTimeField()),
            ("expires_at", models.DateTimeField(blank=True, null=True)),
            ("checked", models.DateTimeField(blank=True, editable=False, null=True)),
            (
                "appointments",
                models.ManyToManyField(
                    editable=False, related_name="payments", through="clinic.PaymentItem", to="clinic.appointment"
                ),
            ),
        ],
        options={
            "ordering": ["-created", "-pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(("status__in", ["created", "paying"])), fields=["created"], name="payment_open"
                )
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("refunded__lte", models.F("amount"))), name="payment_refunds_no_more_than_paid"
                )
            ],
        },
    ),
    migrations.CreateModel(
        "PaymentItem",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("payment", models.ForeignKey(on_delete=models.CASCADE, related_name="items", to="clinic.payment")),
            (
                "appointment",
                models.ForeignKey(on_delete=models.PROTECT, related_name="payment_items", to="clinic.appointment"),
            ),
            ("amount", models.PositiveIntegerField()),
            ("refunded", models.PositiveIntegerField(default=0)),
        ],
        options={
            "ordering": ["pk"],
            "constraints": [
                models.UniqueConstraint(fields=("payment", "appointment"), name="payment_item_once"),
                models.CheckConstraint(
                    condition=models.Q(("refunded__lte", models.F("amount"))), name="item_refunds_no_more_than_paid"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "PaymentOrder",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("payment", models.ForeignKey(on_delete=models.CASCADE, related_name="orders", to="clinic.payment")),
            (
                "appointment",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="clinic.appointment"
                ),
            ),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("capture", "Take the reserved amount"),
                        ("release", "Release the reserved amount"),
                        ("refund", "Refund"),
                        ("fee", "Charge the fee"),
                        ("forget", "Forget the card"),
                    ],
                    max_length=10,
                ),
            ),
            (
                "status",
                models.CharField(
                    choices=[
                        ("waiting", "On its way"),
                        ("done", "Done"),
                        ("failed", "Failed"),
                        ("settled", "Refused, settled otherwise"),
                    ],
                    default="waiting",
                    max_length=10,
                ),
            ),
            ("amount", models.PositiveIntegerField(default=0)),
            ("key", models.UUIDField(default=uuid4, editable=False, unique=True)),
            ("reason", models.TextField(blank=True)),
            ("error", models.TextField(blank=True)),
            ("created", models.DateTimeField()),
            ("due", models.DateTimeField()),
            ("claimed_until", models.DateTimeField(blank=True, editable=False, null=True)),
            ("attempts", models.PositiveIntegerField(default=0)),
            ("done", models.DateTimeField(blank=True, null=True)),
        ],
        options={
            "ordering": ["pk"],
            "indexes": [
                models.Index(condition=models.Q(("status", "waiting")), fields=["due"], name="payment_order_due"),
                models.Index(
                    condition=models.Q(("status", "failed")), fields=["payment"], name="payment_order_refused"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "DeskPayment",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "appointment",
                models.ForeignKey(on_delete=models.PROTECT, related_name="desk_payments", to="clinic.appointment"),
            ),
            ("patient", models.ForeignKey(on_delete=models.PROTECT, related_name="desk_payments", to="clinic.patient")),
            (
                "site",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.PROTECT, related_name="+", to="clinic.location"
                ),
            ),
            ("method", models.CharField(choices=[("cash", "Cash"), ("card", "Card terminal")], max_length=10)),
            ("amount", models.IntegerField()),
            ("currency", models.CharField(max_length=3)),
            ("receipt", models.CharField(blank=True, max_length=50)),
            ("taken", models.DateTimeField(db_index=True)),
            (
                "taken_by",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "corrects",
                models.OneToOneField(
                    null=True, on_delete=models.PROTECT, related_name="correction", to="clinic.deskpayment"
                ),
            ),
            ("reason", models.TextField(blank=True)),
            ("key", models.UUIDField(editable=False, unique=True)),
        ],
        options={
            "ordering": ["taken", "pk"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("amount__gt", 0), ("corrects", None)),
                        models.Q(
                            ("amount__lt", 0), ("corrects__isnull", False), models.Q(("reason", ""), _negated=True)
                        ),
                        _connector="OR",
                    ),
                    name="desk_payment_or_counter_entry",
                )
            ],
        },
    ),
    # clinic/models/staff.py
    migrations.CreateModel(
        "StaffRole",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "user",
                models.ForeignKey(on_delete=models.CASCADE, related_name="staff_roles", to=settings.AUTH_USER_MODEL),
            ),
            (
                "role",
                models.CharField(
                    choices=[
                        ("owner", "Owner"),
                        ("manager", "Manager"),
                        ("assistant", "Assistant of one practitioner"),
                        ("billing", "Billing"),
                        ("reader", "Read only"),
                    ],
                    max_length=20,
                ),
            ),
            (
                "site",
                models.ForeignKey(
                    blank=True,
                    help_text="Empty: all sites.",
                    null=True,
                    on_delete=models.CASCADE,
                    related_name="+",
                    to="clinic.location",
                ),
            ),
            (
                "practitioner",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.CASCADE,
                    related_name="assistant_roles",
                    to="clinic.practitioner",
                ),
            ),
        ],
        options={
            "ordering": ["pk"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("user", "role", "site", "practitioner"), name="staff_role_once", nulls_distinct=False
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("practitioner__isnull", False), ("role", "assistant")),
                        models.Q(models.Q(("role", "assistant"), _negated=True), ("practitioner__isnull", True)),
                        _connector="OR",
                    ),
                    name="staff_role_assists_one",
                ),
                models.CheckConstraint(
                    condition=models.Q(("site__isnull", True), ("role__in", ["billing", "reader"]), _connector="OR"),
                    name="staff_role_bounded",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "StaffInvitation",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "user",
                models.OneToOneField(
                    on_delete=models.CASCADE, related_name="staff_invitation", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("digest", models.CharField(help_text="SHA-256 of the secret in the link.", max_length=64, unique=True)),
            ("expires", models.DateTimeField()),
        ],
    ),
    # clinic/models/second_factor.py
    migrations.CreateModel(
        "SecondFactorRule",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "role",
                models.CharField(
                    choices=[
                        ("administrator", "Administrator"),
                        ("owner", "Owner"),
                        ("manager", "Manager"),
                        ("front-desk", "Front desk"),
                        ("practitioner", "Practitioner"),
                        ("assistant", "Assistant of one practitioner"),
                        ("billing", "Billing"),
                        ("reader", "Read only"),
                    ],
                    max_length=20,
                    unique=True,
                ),
            ),
            ("required_from", models.DateTimeField()),
        ],
        options={
            "ordering": ["pk"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "role__in",
                            [
                                "administrator",
                                "owner",
                                "manager",
                                "front-desk",
                                "practitioner",
                                "assistant",
                                "billing",
                                "reader",
                            ],
                        )
                    ),
                    name="second_factor_rule_role",
                )
            ],
        },
    ),
    # clinic/models/staff_notices.py
    migrations.CreateModel(
        "StaffNotice",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "user",
                models.ForeignKey(
                    db_index=False, on_delete=models.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("kind", models.CharField(choices=NOTICES, max_length=10)),
            (
                "appointment",
                models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name="+", to="clinic.appointment"),
            ),
            ("version", models.BigIntegerField()),
            ("occurred", models.DateTimeField(db_index=True)),
            ("due", models.DateTimeField(null=True)),
            ("seen", models.DateTimeField(null=True)),
        ],
        options={
            "ordering": ["-occurred", "-pk"],
            "indexes": [
                models.Index(condition=models.Q(("due__isnull", False)), fields=["due"], name="staff_notice_due"),
                models.Index(fields=["user", "-occurred"], name="staff_notice_of_user"),
            ],
            "constraints": [
                models.UniqueConstraint(fields=("user", "appointment", "kind", "version"), name="staff_notice_once")
            ],
        },
    ),
    migrations.CreateModel(
        "NoticeSettings",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "user",
                models.OneToOneField(
                    on_delete=models.CASCADE, related_name="notice_settings", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("email", ArrayField(models.CharField(choices=NOTICES, max_length=10), blank=True, default=list)),
            ("pages", ArrayField(models.CharField(choices=NOTICES, max_length=10), blank=True, default=list)),
            ("digest_at", models.TimeField(blank=True, null=True)),
            ("digested", models.DateField(editable=False, null=True)),
            ("version", models.PositiveIntegerField(default=1, editable=False)),
        ],
    ),
    # clinic/models/work_items.py
    migrations.CreateModel(
        "WorkItem",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("request", "Request to answer"),
                        ("text", "Text to read"),
                        ("change", "Change of name or date of birth"),
                        ("rebook", "Visit to rebook"),
                        ("unconfirmed", "Visit not confirmed"),
                        ("failure", "Message not sent"),
                        ("coverage", "Insurance to check"),
                        ("forms", "Forms missing"),
                        ("payment", "Payment refused"),
                        ("recall", "Patient to be seen again"),
                        ("duplicate", "Possible duplicate"),
                        ("erasure", "Request to delete everything"),
                    ],
                    max_length=12,
                ),
            ),
            ("row", models.BigIntegerField()),
            (
                "owner",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.SET_NULL,
                    related_name="work_items",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            ("put_off_until", models.DateField(blank=True, null=True)),
            ("version", models.PositiveIntegerField(default=1)),
            ("changed", models.DateTimeField(db_index=True)),
            (
                "changed_by",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={"constraints": [models.UniqueConstraint(fields=("kind", "row"), name="work_item_once")]},
    ),
    # clinic/models/smart.py
    migrations.CreateModel(
        "AppRegistration",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "application",
                models.OneToOneField(
                    editable=False,
                    on_delete=models.CASCADE,
                    related_name="registration",
                    to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                ),
            ),
            ("publisher", models.CharField(blank=True, help_text="Who makes it, as people know them.", max_length=200)),
            ("homepage", models.CharField(blank=True, max_length=500, validators=[URLValidator(("https", "http"))])),
            (
                "logo_url",
                models.CharField(
                    blank=True,
                    help_text="An image, at an https address.",
                    max_length=500,
                    validators=[URLValidator(("https",))],
                    verbose_name="logo",
                ),
            ),
            (
                "scopes",
                models.TextField(
                    blank=True,
                    help_text="What it may ask for at most, divided by spaces, such as patient/*.rs patient/Appointment.cu openid.",
                ),
            ),
            (
                "jwks_url",
                models.CharField(
                    blank=True,
                    help_text="Where its public keys are (a JWK Set), for software that signs in with a key.",
                    max_length=500,
                    validators=[URLValidator(("https", "http"))],
                    verbose_name="key set address",
                ),
            ),
            (
                "jwks",
                models.JSONField(
                    blank=True,
                    help_text="Its public keys themselves (a JWK Set), instead of an address.",
                    null=True,
                    verbose_name="key set",
                ),
            ),
        ],
        options={"verbose_name": "registration"},
    ),
    migrations.CreateModel(
        "Launch",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "application",
                models.ForeignKey(
                    on_delete=models.CASCADE, related_name="launches", to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL
                ),
            ),
            ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="launches", to=settings.AUTH_USER_MODEL)),
            (
                "patient",
                models.ForeignKey(null=True, on_delete=models.CASCADE, related_name="launches", to="clinic.patient"),
            ),
            ("scope", models.TextField()),
            ("code_digest", models.CharField(max_length=64, unique=True)),
            (
                "access_token",
                models.OneToOneField(
                    null=True,
                    on_delete=models.SET_NULL,
                    related_name="launch",
                    to=settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
                ),
            ),
            ("created", models.DateTimeField()),
            ("last_used", models.DateTimeField()),
        ],
        options={"indexes": [models.Index(fields=["user", "application"], name="launch_of_user")]},
    ),
    migrations.CreateModel(
        "UsedAssertion",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("application", models.ForeignKey(on_delete=models.CASCADE, to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ("digest", models.CharField(max_length=64)),
            ("expires", models.DateTimeField(db_index=True)),
        ],
        options={"constraints": [models.UniqueConstraint(fields=("application", "digest"), name="assertion_once")]},
    ),
    # clinic/models/receivers.py
    migrations.CreateModel(
        "EventReceiver",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=100)),
            ("plugin", models.CharField(blank=True, editable=False, max_length=100)),
            ("url", models.CharField(max_length=500, verbose_name="address")),
            ("kinds", ArrayField(models.CharField(choices=VISIT_EVENTS, max_length=10), verbose_name="events")),
            ("active", models.BooleanField(default=True)),
            ("error", models.TextField(blank=True, editable=False)),
            ("secret", models.TextField(editable=False)),
            ("former_secret", models.TextField(blank=True, editable=False)),
            ("former_secret_ends", models.DateTimeField(editable=False, null=True)),
            ("failures", models.PositiveIntegerField(default=0, editable=False)),
            ("last_success", models.DateTimeField(editable=False, null=True)),
            ("due", models.DateTimeField(db_default=Now(), editable=False)),
            ("claimed_until", models.DateTimeField(editable=False, null=True)),
        ],
        options={
            "verbose_name": "webhook",
            "ordering": ["name", "pk"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("plugin", ""), _negated=True),
                    fields=("plugin",),
                    name="receiver_of_plugin_once",
                )
            ],
        },
    ),
    migrations.CreateModel(
        "EventDelivery",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "receiver",
                models.ForeignKey(
                    db_index=False, on_delete=models.CASCADE, related_name="deliveries", to="clinic.eventreceiver"
                ),
            ),
            (
                "event",
                models.ForeignKey(
                    null=True, on_delete=models.CASCADE, related_name="deliveries", to="clinic.visitevent"
                ),
            ),
            ("message_id", models.CharField(default=new_message_id, max_length=40, unique=True)),
            ("content", models.TextField(blank=True)),
            (
                "status",
                models.CharField(
                    choices=[("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
                    default="waiting",
                    max_length=10,
                ),
            ),
            ("created", models.DateTimeField()),
            ("due", models.DateTimeField()),
            ("attempts", models.PositiveIntegerField(default=0)),
            ("tried", models.DateTimeField(null=True)),
            ("duration_ms", models.PositiveIntegerField(null=True, verbose_name="milliseconds")),
            ("status_code", models.PositiveIntegerField(null=True, verbose_name="HTTP status")),
            ("error", models.CharField(blank=True, max_length=500)),
        ],
        options={
            "verbose_name": "event of a visit for other software",
            "verbose_name_plural": "events of visits for other software",
            "ordering": ["-created", "-pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(("status", "waiting")), fields=["receiver", "id"], name="event_delivery_waiting"
                ),
                models.Index(fields=["created"], name="event_delivery_log"),
            ],
        },
    ),
    # clinic/models/cds.py
    migrations.CreateModel(
        "CdsService",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=100)),
            (
                "url",
                models.CharField(
                    help_text="Of the service itself, such as https://example.org/cds-services/coverage.",
                    max_length=500,
                    validators=[URLValidator(("https", "http"))],
                    verbose_name="address",
                ),
            ),
            ("active", models.BooleanField(default=True)),
            (
                "stops",
                models.BooleanField(
                    default=False,
                    help_text="Staff can still book, with a reason. Otherwise every card is only shown.",
                    verbose_name="critical cards stop the booking",
                ),
            ),
            (
                "sends_records",
                models.BooleanField(
                    default=False,
                    help_text="The patient's record, and the coverage that is active on the day of the visit.",
                    verbose_name="send the patient and their insurance",
                ),
            ),
            ("failures", models.PositiveIntegerField(default=0, editable=False)),
            ("last_error", models.CharField(blank=True, editable=False, max_length=200)),
            ("last_failed", models.DateTimeField(blank=True, editable=False, null=True)),
        ],
        options={
            "verbose_name": "decision service",
            "verbose_name_plural": "decision services",
            "ordering": ["name", "pk"],
        },
    ),
    # clinic/models/plugins.py
    migrations.CreateModel(
        "PluginFailure",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("plugin", models.CharField(max_length=100, verbose_name="plug-in")),
            ("method", models.CharField(max_length=50)),
            ("error", models.CharField(max_length=100)),
            ("count", models.PositiveIntegerField(default=1, verbose_name="failures")),
            ("since", models.DateTimeField()),
            ("last", models.DateTimeField()),
        ],
        options={
            "verbose_name": "failure of a plug-in",
            "verbose_name_plural": "failures of plug-ins",
            "ordering": ["-last"],
            "constraints": [models.UniqueConstraint(fields=("plugin", "method"), name="plugin_failure_once")],
        },
    ),
    # clinic/models/embedding.py
    migrations.CreateModel(
        "EmbedOrigin",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "origin",
                models.CharField(
                    help_text="Scheme and host of the site, such as https://www.clinic.example.",
                    max_length=200,
                    unique=True,
                ),
            ),
            ("added", models.DateTimeField(db_default=Now(), editable=False)),
        ],
        options={
            "verbose_name": "site that shows the booking",
            "verbose_name_plural": "sites that show the booking",
            "ordering": ["origin"],
        },
    ),
    # clinic/models/imports.py
    migrations.CreateModel(
        "ImportFile",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("kind", models.CharField(choices=IMPORTS, max_length=20)),
            ("name", models.CharField(max_length=200)),
            ("encrypted", models.TextField()),
            ("header", ArrayField(models.CharField(max_length=200), default=list)),
            ("lines", models.PositiveIntegerField()),
            ("columns", models.JSONField(default=dict)),
            ("language", models.CharField(max_length=10)),
            (
                "status",
                models.CharField(
                    choices=[
                        ("sent", "Columns to choose"),
                        ("checking", "Being checked"),
                        ("checked", "Checked"),
                        ("writing", "Being imported"),
                        ("done", "Imported"),
                        ("refused", "Refused"),
                        ("failed", "Stopped by an error"),
                        ("undone", "Undone"),
                    ],
                    default="sent",
                    max_length=10,
                ),
            ),
            ("only_good", models.BooleanField(default=False, verbose_name="only the lines that are right")),
            ("position", models.PositiveIntegerField(default=0)),
            ("new", models.PositiveIntegerField(default=0)),
            ("known", models.PositiveIntegerField(default=0)),
            ("version", models.PositiveIntegerField(default=1)),
            ("created", models.DateTimeField()),
            ("finished", models.DateTimeField(blank=True, null=True)),
            (
                "created_by",
                models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
            ),
        ],
        options={
            "ordering": ["-created", "-pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(("status__in", ["checking", "writing"])),
                    fields=["created"],
                    name="import_in_work",
                )
            ],
        },
    ),
    migrations.CreateModel(
        "RefusedLine",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("file", models.ForeignKey(on_delete=models.CASCADE, related_name="refused", to="clinic.importfile")),
            ("line", models.PositiveIntegerField(help_text="The first line below the header is 1.")),
            ("reason", models.TextField()),
        ],
        options={
            "ordering": ["line"],
            "constraints": [models.UniqueConstraint(fields=("file", "line"), name="refused_line_once")],
        },
    ),
    migrations.CreateModel(
        "ImportedRow",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("kind", models.CharField(choices=IMPORTS, max_length=20)),
            ("number", models.CharField(help_text="The other system's number of the row.", max_length=200)),
            ("fhir_id", models.CharField(max_length=64)),
            ("is_new", models.BooleanField()),
            (
                "file",
                models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="rows", to="clinic.importfile"),
            ),
        ],
        options={
            "ordering": ["kind", "number"],
            "constraints": [models.UniqueConstraint(fields=("kind", "number"), name="imported_once")],
        },
    ),
    # clinic/models/exports.py
    migrations.CreateModel(
        "FhirExport",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "status",
                models.CharField(
                    choices=[("waiting", "Being made"), ("done", "Ready"), ("failed", "Stopped by an error")],
                    default="waiting",
                    max_length=10,
                ),
            ),
            ("created", models.DateTimeField()),
            (
                "created_by",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("attempts", models.PositiveSmallIntegerField(default=0)),
            ("resources", models.PositiveIntegerField(default=0)),
            ("size", models.PositiveBigIntegerField(default=0)),
            ("finished", models.DateTimeField(null=True)),
            ("expires", models.DateTimeField(db_index=True, null=True)),
        ],
        options={
            "ordering": ["-created", "-pk"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("status", "waiting")), fields=("status",), name="fhir_export_one_at_a_time"
                )
            ],
        },
    ),
    migrations.CreateModel(
        "FhirExportPart",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "export",
                models.ForeignKey(
                    db_index=False, on_delete=models.CASCADE, related_name="parts", to="clinic.fhirexport"
                ),
            ),
            ("number", models.PositiveIntegerField()),
            ("encrypted", models.BinaryField()),
        ],
        options={
            "ordering": ["export", "number"],
            "constraints": [models.UniqueConstraint(fields=("export", "number"), name="fhir_export_part_once")],
        },
    ),
    # clinic/models/figures.py
    migrations.CreateModel(
        "CountedDay",
        [
            ("day", models.DateField(primary_key=True, serialize=False)),
            ("computed", models.DateTimeField(db_index=True)),
        ],
        options={"ordering": ["day"]},
    ),
    migrations.CreateModel(
        "VisitFigures",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("day", models.DateField()),
            (
                "site",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.CASCADE, related_name="+", to="clinic.location"
                ),
            ),
            (
                "service",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.CASCADE, related_name="+", to="clinic.healthcareservice"
                ),
            ),
            (
                "practitioner",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.CASCADE, related_name="+", to="clinic.practitioner"
                ),
            ),
            ("visits", models.PositiveIntegerField(db_default=0, default=0)),
            ("done", models.PositiveIntegerField(db_default=0, default=0)),
            ("missed", models.PositiveIntegerField(db_default=0, default=0)),
            ("cancelled", models.PositiveIntegerField(db_default=0, default=0)),
            ("late", models.PositiveIntegerField(db_default=0, default=0)),
            ("confirmed", models.PositiveIntegerField(db_default=0, default=0)),
            ("ahead", models.PositiveIntegerField(db_default=0, default=0)),
            ("ahead_minutes", models.BigIntegerField(db_default=0, default=0)),
            ("freed", models.PositiveIntegerField(db_default=0, default=0)),
            ("filled", models.PositiveIntegerField(db_default=0, default=0)),
        ],
        options={
            "ordering": ["day", "pk"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("day", "site", "service", "practitioner"), name="visit_figures_once", nulls_distinct=False
                )
            ],
        },
    ),
    migrations.CreateModel(
        "TimeFigures",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("day", models.DateField()),
            (
                "schedule",
                models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name="+", to="clinic.schedule"),
            ),
            ("open_minutes", models.PositiveIntegerField(db_default=0, default=0)),
            ("used_minutes", models.PositiveIntegerField(db_default=0, default=0)),
        ],
        options={
            "ordering": ["day", "pk"],
            "constraints": [models.UniqueConstraint(fields=("day", "schedule"), name="time_figures_once")],
        },
    ),
    migrations.CreateModel(
        "MessageFigures",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("day", models.DateField()),
            (
                "site",
                models.ForeignKey(
                    db_index=False, null=True, on_delete=models.CASCADE, related_name="+", to="clinic.location"
                ),
            ),
            ("medium", models.CharField(choices=MEDIA, max_length=10)),
            ("event", models.CharField(choices=EVENTS, max_length=20)),
            ("sent", models.PositiveIntegerField(db_default=0, default=0)),
            ("failed", models.PositiveIntegerField(db_default=0, default=0)),
        ],
        options={
            "ordering": ["day", "pk"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("day", "site", "medium", "event"), name="message_figures_once", nulls_distinct=False
                )
            ],
        },
    ),
    # clinic/models/parking.py
    migrations.CreateModel(
        "ParkedRow",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("task", models.CharField(max_length=50)),
            ("kind", models.CharField(max_length=50)),
            ("key", models.CharField(blank=True, max_length=50)),
            ("error", models.CharField(max_length=500)),
            ("attempts", models.PositiveIntegerField(default=1)),
            ("since", models.DateTimeField()),
            ("tried", models.DateTimeField()),
            ("again", models.DateTimeField(db_index=True)),
        ],
        options={
            "verbose_name": "row set aside by a background task",
            "verbose_name_plural": "rows set aside by background tasks",
            "ordering": ["-tried"],
            "constraints": [models.UniqueConstraint(fields=("task", "kind", "key"), name="parked_once")],
        },
    ),
]

# What the tables of the first part have got since.
COLUMNS = [
    # clinic/models/people.py
    migrations.AddField(
        "user",
        "refers_for",
        models.CharField(
            blank=True,
            db_default="",
            help_text="The practice of a referrer, who is outside the clinic and sees nothing but their own referrals.",
            max_length=200,
            verbose_name="refers patients for",
        ),
    ),
    migrations.AddField("user", "told_on_pages", models.BooleanField(db_default=False, default=False, editable=False)),
    migrations.AddField("user", "ended_sessions", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
    migrations.AddField("practitioner", "search", SearchVectorField(default="", editable=False)),
    migrations.AddField(
        "practitioner",
        "about",
        models.TextField(
            blank=True,
            db_default="",
            default="",
            help_text="For patients, on their page and beside the times.",
            verbose_name="a few words about them",
        ),
    ),
    migrations.AddField(
        "practitioner",
        "photo_digest",
        models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
    ),
    migrations.AddIndex(
        "practitionerrole", GinIndex(fields=["identifier"], name="role_identifier", opclasses=["jsonb_path_ops"])
    ),
    migrations.AddField("patient", "search", SearchVectorField(default="", editable=False)),
    migrations.AddField(
        "patient",
        "returning",
        models.BooleanField(
            db_default=False,
            default=False,
            help_text="Counts as a returning patient, even without a visit in this system.",
            verbose_name="has been here before",
        ),
    ),
    migrations.AddField(
        "patient",
        "interpreter_required",
        models.BooleanField(db_default=False, default=False, verbose_name="needs an interpreter"),
    ),
    migrations.AddField(
        "patient",
        "interpreter_language",
        models.CharField(
            blank=True,
            db_default="",
            default="",
            help_text="The interpreter's, such as es; sgn for a sign language.",
            max_length=10,
        ),
    ),
    migrations.AddField(
        "patient",
        "needs",
        ArrayField(
            models.CharField(
                choices=[
                    ("step-free", "Step-free access"),
                    ("hearing", "Help with hearing"),
                    ("sight", "Help with seeing"),
                    ("quiet", "A quiet place to wait"),
                ],
                max_length=20,
            ),
            blank=True,
            db_default=[],
            default=list,
        ),
    ),
    migrations.AddField(
        "patient",
        "other_needs",
        models.CharField(
            blank=True, db_default="", default="", help_text="In the patient's own words.", max_length=500
        ),
    ),
    migrations.AddField("patient", "needs_asked", models.DateTimeField(blank=True, editable=False, null=True)),
    migrations.AddField(
        "patient",
        "identity_verified",
        models.BooleanField(
            db_default=False,
            default=False,
            help_text="Patients then ask for a change of them, and staff decide.",
            verbose_name="name and birth date verified",
        ),
    ),
    migrations.AddField("patient", "details_confirmed", models.DateTimeField(blank=True, editable=False, null=True)),
    migrations.AddField(
        "patient",
        "barred_online",
        models.BooleanField(
            db_default=False,
            default=False,
            help_text="The patient is asked to call the clinic instead, and is not told why. Staff still book.",
            verbose_name="barred from online booking",
        ),
    ),
    migrations.AddField(
        "patient",
        "barred_reason",
        models.CharField(
            blank=True,
            db_default="",
            default="",
            help_text="Only staff see it.",
            max_length=500,
            verbose_name="reason for it",
        ),
    ),
    migrations.AddField(
        "patient",
        "vip",
        models.BooleanField(
            db_default=False, default=False, help_text="Only staff see it.", verbose_name="treat as VIP"
        ),
    ),
    migrations.AddIndex(
        "patient",
        GinIndex(
            models.Func(
                "extra", "family", "given", "prefix", function="clinic_names", output_field=SearchVectorField()
            ),
            name="patient_names",
        ),
    ),
    migrations.AddIndex("patient", GinIndex(fields=["search"], name="patient_search")),
    migrations.AddField("relatedperson", "search", SearchVectorField(default="", editable=False)),
    migrations.AddField(
        "relatedperson",
        "access",
        models.CharField(
            choices=[("all", "Everything"), ("visits", "See and book visits")],
            db_default="all",
            default="all",
            help_text="Everything: also answers, insurance and settings.",
            max_length=10,
        ),
    ),
    migrations.AddField(
        "relatedperson",
        "keeps_access",
        models.BooleanField(
            db_default=False,
            default=False,
            help_text="A parent’s access ends when the child becomes an adult, unless this is ticked.",
        ),
    ),
    migrations.AddField("relatedperson", "invited", models.DateTimeField(blank=True, editable=False, null=True)),
    # clinic/models/places.py
    migrations.AddField(
        "location",
        "description",
        models.TextField(
            blank=True,
            db_default="",
            default="",
            help_text="For patients: the entrance, buses and trains, and where to park.",
            verbose_name="how to get there",
        ),
    ),
    migrations.AddField(
        "location",
        "features",
        ArrayField(
            models.CharField(
                choices=[("step-free", "Step-free access"), ("induction-loop", "Induction loop"), ("quiet", "Quiet")],
                max_length=20,
            ),
            blank=True,
            db_default=[],
            default=list,
        ),
    ),
    # clinic/models/services.py
    migrations.AddField(
        "healthcareservice",
        "appointment_type",
        models.CharField(
            blank=True,
            choices=[
                ("ROUTINE", "Routine"),
                ("CHECKUP", "Check-up"),
                ("FOLLOWUP", "Follow-up"),
                ("WALKIN", "Walk-in"),
                ("EMERGENCY", "Emergency"),
                ("new-patient", "New patient"),
                ("same-day", "Same day"),
                ("urgent", "Urgent"),
                ("pre-op", "Before an operation"),
                ("post-op", "After an operation"),
            ],
            db_default="",
            help_text="What other systems are told that its times are for. Empty: what its type says, else routine.",
            max_length=20,
            verbose_name="style of visit",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "minimum_age",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="In years, on the day of the visit; empty: from birth.",
            null=True,
            validators=[MaxValueValidator(150)],
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "maximum_age",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="In years, on the day of the visit: 17 lets patients in until they are 18. Empty: no limit.",
            null=True,
            validators=[MaxValueValidator(150)],
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "named_in_email",
        models.BooleanField(
            default=True,
            help_text="Without it, emails say neither what the visit is for, nor with whom, nor how to prepare.",
            verbose_name="name this visit in emails",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "requires_verified_coverage",
        models.BooleanField(
            db_default=False,
            default=False,
            help_text="Cannot be booked before the clinic has checked the patient's coverage.",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "pricing",
        models.CharField(
            blank=True,
            choices=[
                ("fixed", "A fixed price"),
                ("range", "A price range"),
                ("free", "Free of charge"),
                ("covered", "Paid by the insurance"),
            ],
            db_default="",
            default="",
            help_text="What patients read about the price, from the list of visits on. Empty: nothing.",
            max_length=10,
            verbose_name="kind of price",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "price",
        models.PositiveIntegerField(blank=True, help_text="What is paid, with any tax.", null=True),
    ),
    migrations.AddField(
        "healthcareservice",
        "price_to",
        models.PositiveIntegerField(
            blank=True, help_text="Only for a price range.", null=True, verbose_name="highest price"
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "check_in_before",
        models.DurationField(
            blank=True,
            db_default=timedelta(seconds=3600),
            default=timedelta(seconds=3600),
            help_text="How long before its start a patient can say online that they are here; empty: not online.",
            null=True,
            verbose_name="check-in opens",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "check_in_after",
        models.DurationField(
            db_default=timedelta(seconds=900),
            default=timedelta(seconds=900),
            help_text="How long after its start a patient can still say so.",
            verbose_name="check-in closes",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "prepayment",
        models.CharField(
            blank=True,
            choices=[
                ("whole", "The whole price"),
                ("deposit", "A deposit"),
                ("card", "A card, charged only for a missed visit"),
            ],
            db_default="",
            default="",
            help_text="What patients give before they can book. Empty: nothing.",
            max_length=10,
            verbose_name="payment before booking",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "deposit",
        models.PositiveIntegerField(blank=True, help_text="Counts towards the price.", null=True),
    ),
    migrations.AddField(
        "healthcareservice",
        "missed_fee",
        models.PositiveIntegerField(
            blank=True,
            help_text="Staff charge it to the card that was kept, after a no-show or a late cancellation.",
            null=True,
            verbose_name="fee for a missed visit",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "refund_notice",
        models.DurationField(
            blank=True,
            help_text="How long before its start a cancellation gives everything back. Empty: as long as patients can cancel.",
            null=True,
            verbose_name="whole refund until",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "late_refund",
        models.PositiveSmallIntegerField(
            db_default=0,
            default=0,
            help_text="In percent of what was paid.",
            validators=[MaxValueValidator(100)],
            verbose_name="refund after that",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "payment_terms",
        models.TextField(
            blank=True,
            db_default="",
            default="",
            help_text="The clinic's own words that patients agree to before they pay, below the sentences about the sum.",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "recall_months",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="After a visit that took place the patient is told when to book the next. Empty: nobody is told.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(120)],
            verbose_name="seen again after months",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "total_day_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="On all schedules together; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits a day",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "total_week_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="On all schedules together; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits a week",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "new_patient_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="Who have not been here before; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="new patients a day",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "patient_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="Booked at the same time; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits to come of one patient",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "patient_week_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="Empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits of one patient a week",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "course_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="How many visits a patient can book at once; empty: one at a time.",
            null=True,
            validators=[MinValueValidator(2), MaxValueValidator(52)],
            verbose_name="visits of a course, at most",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "course_visits",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="The number that is suggested; empty: as many as can be booked.",
            null=True,
            validators=[MinValueValidator(2), MaxValueValidator(52)],
            verbose_name="visits of a course, as a rule",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "course_weeks",
        models.PositiveSmallIntegerField(
            db_default=1,
            default=1,
            help_text="The number that is suggested.",
            validators=[MinValueValidator(1), MaxValueValidator(26)],
            verbose_name="weeks between two visits of a course",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "course_days",
        models.PositiveSmallIntegerField(
            db_default=1,
            default=1,
            help_text="At least, for visits that are booked as close together as possible.",
            validators=[MinValueValidator(1), MaxValueValidator(60)],
            verbose_name="days between two visits of a course",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "has_waitlist",
        models.BooleanField(
            db_default=True,
            default=True,
            help_text="Patients can ask to be offered times that come free.",
            verbose_name="waiting list",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "waitlist_order",
        models.CharField(
            choices=[
                ("longest", "Longest waiting first"),
                ("urgent", "Most urgent first, as marked by staff"),
                ("booked", "Those with a visit booked first, the latest visit before others"),
            ],
            db_default="longest",
            default="longest",
            help_text="Who is asked first when a time comes free.",
            max_length=10,
            verbose_name="order of the waiting list",
        ),
    ),
    migrations.AddField(
        "healthcareservice",
        "waitlist_minutes",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="How long a time that came free is kept for one person; empty: as the clinic's setting says.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1440)],
            verbose_name="minutes to answer",
        ),
    ),
    migrations.AddConstraint(
        "healthcareservice",
        models.CheckConstraint(
            condition=models.Q(
                ("minimum_age__isnull", True),
                ("maximum_age__isnull", True),
                ("minimum_age__lte", models.F("maximum_age")),
                _connector="OR",
            ),
            name="service_ages_in_order",
            violation_error_message="The minimum age is above the maximum age.",
        ),
    ),
    migrations.AddConstraint(
        "healthcareservice",
        models.CheckConstraint(
            condition=models.Q(
                models.Q(("price__isnull", True), ("price_to__isnull", True), ("pricing__in", ["", "free", "covered"])),
                models.Q(("price__isnull", False), ("price_to__isnull", True), ("pricing", "fixed")),
                models.Q(
                    ("price__isnull", False),
                    ("price_to__gt", models.F("price")),
                    ("price_to__isnull", False),
                    ("pricing", "range"),
                ),
                _connector="OR",
            ),
            name="service_price_of_its_kind",
            violation_error_message="A fixed price has one amount, a price range two: the lower one first. Other kinds have none.",
        ),
    ),
    migrations.AddConstraint(
        "healthcareservice",
        models.CheckConstraint(
            condition=models.Q(
                ("course_visits__isnull", True), ("course_visits__lte", models.F("course_limit")), _connector="OR"
            ),
            name="service_course_in_order",
            violation_error_message="A course cannot have more visits as a rule than at most.",
        ),
    ),
    migrations.AddConstraint(
        "healthcareservice",
        models.CheckConstraint(
            condition=models.Q(
                ("check_in_after__gte", timedelta()),
                models.Q(("check_in_before__isnull", True), ("check_in_before__gte", timedelta()), _connector="OR"),
            ),
            name="service_check_in_not_negative",
        ),
    ),
    migrations.AddConstraint(
        "healthcareservice",
        models.CheckConstraint(
            condition=models.Q(
                ("prepayment", ""),
                models.Q(("prepayment", "whole"), ("price__gt", 0), ("pricing", "fixed")),
                models.Q(("deposit__gt", 0), ("deposit__isnull", False), ("prepayment", "deposit")),
                models.Q(("missed_fee__gt", 0), ("missed_fee__isnull", False), ("prepayment", "card")),
                _connector="OR",
            ),
            name="service_prepayment_has_amount",
            violation_error_message="The whole price can be paid before booking if it is fixed; a deposit and a fee for a missed visit need an amount.",
        ),
    ),
    migrations.AddConstraint(
        "healthcareservice",
        models.CheckConstraint(
            condition=models.Q(("prepayment", ""), ("on_request", False), _connector="OR"),
            name="service_prepayment_not_on_request",
            violation_error_message="A visit on request is not paid for before it is booked: the clinic may decline it.",
        ),
    ),
    migrations.AddConstraint(
        "healthcareservice",
        models.CheckConstraint(
            condition=models.Q(("late_refund__lte", 100)),
            name="service_late_refund_in_percent",
            violation_error_message="A refund is 100 percent at most.",
        ),
    ),
    # clinic/models/schedule.py
    migrations.AddField(
        "schedule",
        "total_day_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="Of all services together; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits a day",
        ),
    ),
    migrations.AddField(
        "schedule",
        "total_week_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="Of all services together; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits a week",
        ),
    ),
    migrations.AddField(
        "schedule",
        "extra_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="At times that are taken; 0: none; empty: as many as the clinic allows.",
            null=True,
            validators=[MaxValueValidator(1000)],
            verbose_name="extra visits a day",
        ),
    ),
    migrations.AddField(
        "schedulingparameters",
        "day_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="On one schedule; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits a day",
        ),
    ),
    migrations.AddField(
        "schedulingparameters",
        "week_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="On one schedule; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits a week",
        ),
    ),
    migrations.AddField(
        "schedulingparameters",
        "session_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="In one spell of the hours of a schedule, such as a morning; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="visits a session",
        ),
    ),
    migrations.AddField(
        "schedulingparameters",
        "new_patient_session_limit",
        models.PositiveSmallIntegerField(
            blank=True,
            help_text="Visits of new patients in one spell of the hours of a schedule; empty: no limit.",
            null=True,
            validators=[MinValueValidator(1), MaxValueValidator(1000)],
            verbose_name="new patients a session",
        ),
    ),
    migrations.AddField(
        "schedulingparameters",
        "kept",
        models.JSONField(blank=True, db_default=[], default=list, verbose_name="kept time"),
    ),
    migrations.AddIndex(
        "schedulingparameters",
        models.Index(
            condition=models.Q(("kept", []), _negated=True), fields=["schedule"], name="parameters_that_keep_time"
        ),
    ),
    # clinic/models/appointment.py
    migrations.AlterField(
        "appointment",
        "patient",
        models.ForeignKey(
            blank=True,
            db_index=False,
            null=True,
            on_delete=models.PROTECT,
            related_name="appointments",
            to="clinic.patient",
        ),
    ),
    migrations.AddField(
        "appointment",
        "suggested_for",
        models.ForeignKey(
            blank=True,
            db_index=False,
            editable=False,
            null=True,
            on_delete=models.PROTECT,
            related_name="suggestions",
            to="clinic.appointment",
        ),
    ),
    migrations.AddField(
        "appointment", "has_payment", models.BooleanField(db_default=False, default=False, editable=False)
    ),
    migrations.AddField(
        "appointment", "to_rebook", models.BooleanField(db_default=False, default=False, editable=False)
    ),
    migrations.AddField("appointment", "series", models.UUIDField(blank=True, editable=False, null=True)),
    migrations.AddField(
        "appointment", "occurrence", models.PositiveSmallIntegerField(blank=True, editable=False, null=True)
    ),
    migrations.AddField(
        "appointment", "occurrences", models.PositiveSmallIntegerField(blank=True, editable=False, null=True)
    ),
    migrations.AddField(
        "appointment",
        "referral",
        models.ForeignKey(
            blank=True,
            db_index=False,
            editable=False,
            null=True,
            on_delete=models.PROTECT,
            related_name="visits",
            to="clinic.servicerequest",
        ),
    ),
    migrations.AddIndex(
        "appointment",
        models.Index(
            condition=models.Q(("suggested_for__isnull", False)), fields=["suggested_for"], name="appointment_suggested"
        ),
    ),
    migrations.AddIndex(
        "appointment",
        models.Index(
            condition=models.Q(("series__isnull", False)), fields=["series", "occurrence"], name="appointment_of_series"
        ),
    ),
    migrations.AddIndex(
        "appointment",
        models.Index(
            condition=models.Q(("referral__isnull", False)), fields=["referral"], name="appointment_by_referral"
        ),
    ),
    migrations.AddIndex(
        "appointment",
        models.Index(condition=models.Q(("status", "waitlist")), fields=["service"], name="appointment_waiting"),
    ),
    migrations.AddConstraint(
        "appointment",
        models.CheckConstraint(
            condition=models.Q(
                models.Q(("occurrence__isnull", True), ("occurrences__isnull", True)),
                models.Q(
                    ("occurrence__gte", 1),
                    ("occurrence__isnull", False),
                    ("occurrences__gte", models.F("occurrence")),
                    ("occurrences__isnull", False),
                    ("series__isnull", False),
                ),
                _connector="OR",
            ),
            name="appointment_numbered_in_series",
        ),
    ),
    migrations.AddConstraint(
        "appointment",
        ExclusionConstraint(
            condition=models.Q(
                ("deleted_at__isnull", True),
                ("referral__isnull", False),
                ("status__in", ("pending", "booked", "arrived", "checked-in", "fulfilled", "noshow")),
            ),
            expressions=[
                (
                    models.Func(
                        models.F("referral"),
                        models.F("referral"),
                        models.Value("[]"),
                        function="int8range",
                        output_field=BigIntegerRangeField(),
                    ),
                    "&&",
                ),
                (
                    models.Func(
                        models.F("created"),
                        models.F("hold_expires_at"),
                        function="tstzrange",
                        output_field=DateTimeRangeField(),
                    ),
                    "&&",
                ),
            ],
            name="appointment_one_for_a_ticket",
            violation_error_message="A visit is booked with this referral already.",
        ),
    ),
    migrations.RemoveConstraint("slot", "slot_never_sold_twice"),
    migrations.AlterField("slot", "seat", models.IntegerField(blank=True, editable=False, null=True)),
    migrations.AddField("slot", "lies_under", models.BooleanField(default=False, editable=False)),
    migrations.AddField("slot", "was_free", models.BooleanField(db_default=False, default=False, editable=False)),
    migrations.AddIndex(
        "slot",
        models.Index(
            condition=models.Q(("deleted_at__isnull", True), ("hold_expires_at__isnull", False), ("was_free", True)),
            fields=["end"],
            name="slot_held_once_free",
        ),
    ),
    migrations.AddConstraint(
        "slot",
        models.CheckConstraint(
            condition=models.Q(
                ("lies_under", False),
                models.Q(("appointment__isnull", True), ("status", "busy-unavailable")),
                _connector="OR",
            ),
            name="slot_of_a_visit_lies_under_none",
        ),
    ),
    migrations.AddConstraint(
        "slot",
        ExclusionConstraint(
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
                        output_field=BigIntegerRangeField(),
                    ),
                    "&&",
                ),
                (
                    models.Func(
                        Coalesce(models.F("seat"), models.Value(0)),
                        CombinedExpression(models.F("seat"), "+", models.Value(1)),
                        function="int4range",
                        output_field=IntegerRangeField(),
                    ),
                    "&&",
                ),
                (
                    models.Func(
                        models.F("start"), models.F("end"), function="tstzrange", output_field=DateTimeRangeField()
                    ),
                    "&&",
                ),
                (
                    models.Func(
                        models.F("blocks_from"),
                        models.F("hold_expires_at"),
                        function="tstzrange",
                        output_field=DateTimeRangeField(),
                    ),
                    "&&",
                ),
            ],
            name="slot_never_sold_twice",
            violation_error_message="That time is taken.",
        ),
    ),
    # clinic/models/care.py
    migrations.AddField(
        "coverage",
        "insurance_plan",
        models.ForeignKey(
            blank=True,
            null=True,
            on_delete=models.PROTECT,
            related_name="coverages",
            to="clinic.insuranceplan",
            verbose_name="plan",
        ),
    ),
    migrations.AddField(
        "coverage",
        "verification",
        models.CharField(
            choices=[
                ("declared", "Not checked yet"),
                ("verified", "Checked by the clinic"),
                ("rejected", "Rejected by the clinic"),
            ],
            db_default="declared",
            default="declared",
            max_length=10,
        ),
    ),
    migrations.AddField(
        "coverage",
        "verification_reason",
        models.TextField(
            blank=True,
            db_default="",
            default="",
            help_text="Why it was rejected: the patient reads it.",
            verbose_name="reason",
        ),
    ),
    migrations.AddField(
        "coverage", "verified_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="checked")
    ),
    migrations.AddField(
        "coverage",
        "confirmed_at",
        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="confirmed by the patient"),
    ),
    migrations.AddIndex("coverage", GinIndex(fields=["payor"], name="coverage_payor", opclasses=["jsonb_path_ops"])),
    migrations.RemoveConstraint("encounter", "encounter_once"),
    migrations.AddIndex(
        "encounter", GinIndex(fields=["participant"], name="encounter_participant", opclasses=["jsonb_path_ops"])
    ),
    # clinic/models/responses.py
    migrations.AddIndex(
        "appointmentresponse", GinIndex(fields=["identifier"], name="response_identifier", opclasses=["jsonb_path_ops"])
    ),
    # clinic/models/communication.py
    migrations.AlterField(
        "communication",
        "patient",
        models.ForeignKey(
            blank=True,
            db_index=False,
            null=True,
            on_delete=models.PROTECT,
            related_name="communications",
            to="clinic.patient",
        ),
    ),
    migrations.AddField(
        "communication",
        "part_of",
        models.ForeignKey(
            blank=True,
            db_index=False,
            editable=False,
            null=True,
            on_delete=models.CASCADE,
            related_name="parts",
            to="clinic.communication",
        ),
    ),
    migrations.AddField(
        "communication",
        "staff_message",
        models.ForeignKey(
            blank=True,
            db_index=False,
            editable=False,
            null=True,
            on_delete=models.PROTECT,
            related_name="+",
            to="clinic.staffmessage",
        ),
    ),
    migrations.AddField("communication", "before", models.JSONField(blank=True, editable=False, null=True)),
    migrations.AddIndex(
        "communication",
        models.Index(condition=models.Q(("part_of__isnull", False)), fields=["part_of"], name="communication_parts"),
    ),
    migrations.AddIndex(
        "communication",
        models.Index(
            condition=models.Q(("event", "reply"), ("read__isnull", True)), fields=["due"], name="communication_to_read"
        ),
    ),
    migrations.AddIndex(
        "communication",
        models.Index(condition=models.Q(("event", "answer")), fields=["address", "due"], name="communication_answers"),
    ),
    migrations.AddIndex(
        "communication",
        models.Index(condition=models.Q(("sent__isnull", False)), fields=["sent"], name="communication_sent"),
    ),
    migrations.AddIndex(
        "communication",
        models.Index(
            condition=models.Q(("attempts__gt", 0), ("status", "not-done")), fields=["due"], name="communication_failed"
        ),
    ),
    migrations.AddConstraint(
        "communication",
        models.UniqueConstraint(
            condition=models.Q(("event", "reply"), models.Q(("provider_id", ""), _negated=True)),
            fields=("provider_id",),
            name="communication_reply_once",
        ),
    ),
    migrations.AddConstraint(
        "communication",
        models.UniqueConstraint(
            condition=models.Q(("staff_message__isnull", False)),
            fields=("staff_message", "medium", "address", "patient"),
            name="communication_note_once",
        ),
    ),
    migrations.AlterModelOptions("messagetemplate", {"ordering": ["event", "medium", "language", "service"]}),
    migrations.RemoveConstraint("messagetemplate", "message_template_once"),
    migrations.AddField(
        "messagetemplate",
        "service",
        models.ForeignKey(
            blank=True,
            help_text="Empty: for all services that have no template of their own.",
            null=True,
            on_delete=models.CASCADE,
            related_name="message_templates",
            to="clinic.healthcareservice",
        ),
    ),
    migrations.AddConstraint(
        "messagetemplate",
        models.UniqueConstraint(
            fields=("event", "medium", "language", "service"), name="message_template_once", nulls_distinct=False
        ),
    ),
    migrations.AddField(
        "messagepreferences",
        "stopped_numbers",
        ArrayField(
            models.CharField(max_length=20),
            blank=True,
            db_default=[],
            default=list,
            help_text="No text is sent to these, in E.164: they have answered STOP, and not START since.",
        ),
    ),
    # clinic/models/subscription.py
    migrations.AlterField(
        "subscription", "header", ArrayField(models.TextField(), blank=True, default=list, editable=False)
    ),
    migrations.AddField(
        "subscription", "topic", models.CharField(blank=True, db_default="", editable=False, max_length=30)
    ),
    migrations.AddField(
        "subscription", "heartbeat", models.PositiveIntegerField(blank=True, editable=False, null=True)
    ),
    migrations.AddField("subscription", "events", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
    migrations.AddField("subscription", "scopes", models.TextField(blank=True, db_default="", editable=False)),
    migrations.AddField(
        "notification",
        "event",
        models.ForeignKey(blank=True, db_index=False, null=True, on_delete=models.CASCADE, to="clinic.visitevent"),
    ),
    migrations.AddField("notification", "number", models.PositiveIntegerField(blank=True, null=True)),
    migrations.AddConstraint(
        "notification", models.UniqueConstraint(fields=("subscription", "number"), name="notification_number_once")
    ),
    # clinic/models/history.py
    migrations.AddField("pastversion", "replaced", models.DateTimeField(db_default=Now())),
    migrations.AddIndex("pastversion", models.Index(fields=["patient_id"], name="past_version_of_patient")),
    # clinic/models/audit.py
    migrations.AddField(
        "auditevent",
        "target",
        models.CharField(blank=True, help_text="What was read, as a FHIR reference.", max_length=200),
    ),
    migrations.AddField(
        "auditevent",
        "query",
        models.TextField(blank=True, help_text="What was asked for where it was more than one resource."),
    ),
    migrations.AddIndex("auditevent", models.Index(fields=["recorded", "id"], name="audit_recorded")),
]


class Migration(migrations.Migration):
    replaces = [
        ("clinic", "0009_smart"),
        ("clinic", "0010_audit_reads"),
        ("clinic", "0011_search"),
        ("clinic", "0012_operations"),
        ("clinic", "0013_parked_rows"),
        ("clinic", "0014_named_in_email"),
        ("clinic", "0015_person_search"),
        ("clinic", "0016_fill_person_search"),
        ("clinic", "0017_names_and_addresses_that_count"),
        ("clinic", "0018_blocks_lie_under_visits"),
        ("clinic", "0019_note_whose_time_it_is"),
        ("clinic", "0020_told_before"),
        ("clinic", "0021_service_ages"),
        ("clinic", "0022_staff_are_told_of_requests"),
        ("clinic", "0023_words_of_labels"),
        ("clinic", "0024_words_are_kept"),
        ("clinic", "0025_stamp_of_offerings"),
        ("clinic", "0026_drop_unused_indexes"),
        ("clinic", "0027_words_of_audit_actions"),
        ("clinic", "0028_visit_events"),
        ("clinic", "0029_several_encounters"),
        ("clinic", "0030_slot_was_free"),
        ("clinic", "0031_plugin_failures"),
        ("clinic", "0032_suggested_times"),
        ("clinic", "0033_booking_limits"),
        ("clinic", "0034_event_receivers"),
        ("clinic", "0035_topic_subscriptions"),
        ("clinic", "0036_appointment_type_of_services"),
        ("clinic", "0037_series"),
        ("clinic", "0038_patient_merge"),
        ("clinic", "0039_decision_services"),
        ("clinic", "0040_patients_of_groups"),
        ("clinic", "0041_service_prices"),
        ("clinic", "0042_returning_patients"),
        ("clinic", "0043_templates_of_services"),
        ("clinic", "0044_courses_and_combined_visits"),
        ("clinic", "0045_needs_and_features"),
        ("clinic", "0046_text_replies"),
        ("clinic", "0047_arrivals"),
        ("clinic", "0048_referrals"),
        ("clinic", "0049_payments"),
        ("clinic", "0050_waitlist"),
        ("clinic", "0051_index_of_the_waitlist"),
        ("clinic", "0052_verified_coverage_and_details"),
        ("clinic", "0053_carers"),
        ("clinic", "0054_profiles"),
        ("clinic", "0055_embed_origins"),
        ("clinic", "0056_recalls"),
        ("clinic", "0057_insurance_plans"),
        ("clinic", "0058_columns_for_older_servers"),
        ("clinic", "0059_absences"),
        ("clinic", "0060_day_figures"),
        ("clinic", "0061_message_day_indexes"),
        ("clinic", "0062_staff_roles"),
        ("clinic", "0063_staff_messages"),
        ("clinic", "0064_patient_notes_and_flags"),
        ("clinic", "0065_misspelt_names"),
        ("clinic", "0066_duplicate_pairs"),
        ("clinic", "0067_closures"),
        ("clinic", "0068_pass_on_offers_of_staff"),
        ("clinic", "0069_staff_accounts"),
        ("clinic", "0070_imports"),
        ("clinic", "0071_message_note_once"),
        ("clinic", "0072_work_items"),
        ("clinic", "0073_refused_payment_orders"),
        ("clinic", "0074_kept_time"),
        ("clinic", "0075_session_limit"),
        ("clinic", "0076_extra_seats"),
        ("clinic", "0077_second_factor_rules"),
        ("clinic", "0078_status_done"),
        ("clinic", "0079_staff_notices"),
        ("clinic", "0080_waitlist_calls"),
        ("clinic", "0081_service_types"),
        ("clinic", "0082_erasures"),
        ("clinic", "0083_versions_of_a_patient"),
        ("clinic", "0084_fhir_exports"),
        ("clinic", "0085_absences_of_sites"),
        ("clinic", "0086_payments_at_the_desk"),
        ("clinic", "0087_new_patient_session_limit"),
        ("clinic", "0088_payments_after_booking"),
        ("clinic", "0089_kept_time_checks"),
        ("clinic", "0090_receipts_of_later_payments"),
        ("clinic", "0091_links_of_referrals_sent"),
        ("clinic", "0092_kept_time_of_services"),
        ("clinic", "0093_index_of_kept_time"),
    ]

    dependencies = [
        ("clinic", "0001_squashed_0008_appointment_responses"),
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.RunSQL(REFUSE_ROWS),
        migrations.RunSQL(
            [CLINIC_FOLDED, CLINIC_TEXTS, CLINIC_WORDS, CLINIC_NAMES, CLINIC_WORDS_APART, CLINIC_WORDS_SHOWN]
        ),
        AtOnce([*TABLES, *COLUMNS]),
        # For writers that do not know the column.
        migrations.RunSQL("ALTER TABLE clinic_slot ALTER lies_under SET DEFAULT false"),
        migrations.RunSQL([f"DROP INDEX {name}" for name in LIKE]),
        *(words.keep() for words in WORDS),
        keep_versions("ServiceRequest"),
        keep_versions("Task"),
        keep_versions(
            "InsurancePlan",
            keys_of("services", "clinic_insuranceplan_services", "insuranceplan_id", "healthcareservice_id"),
            keys_of("locations", "clinic_insuranceplan_locations", "insuranceplan_id", "location_id"),
        ),
        migrations.RunSQL(STAMP_OFFERINGS),
        migrations.RunSQL(IS_SUBSCRIBED),
        migrations.RunSQL(NOTE_WHOSE_TIME_IT_IS),
        migrations.RunSQL(NOTE_CLOSURES),
        migrations.RunSQL(NOTE_VISITS),
        migrations.RunSQL(NOTE_PATIENTS),
        migrations.RunSQL(NOTE_FREED_TIME),
    ]
