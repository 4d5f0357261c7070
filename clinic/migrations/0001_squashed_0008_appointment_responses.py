"""The tables of a new database, the first part. It stands for 0001 to 0008, where the reasons of each thing are.

https://docs.djangoproject.com/en/stable/topics/migrations/#squashing-migrations: a database that has some of them goes
on with the others. Columns, constraints and indexes are therefore those after 0008; what no database knows of, such as
labels and choices, is as it became later.

The tables of oauth2_provider refer to the first part, and the second part refers to them.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.fields.ranges import BigIntegerRangeField, DateTimeRangeField, IntegerRangeField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.models.expressions import CombinedExpression
from django.db.models.functions.comparison import Coalesce
from django.db.models.functions.datetime import Now
from django.utils import timezone

from clinic.migrations._new_database import EVENTS, MEDIA, AtOnce, resource
from clinic.models.history import KEEP_VERSION, keep_versions, keys_of
from clinic.models.services import default_reminders
from clinic.zones import validate_zone

GENDERS = [("female", "Female"), ("male", "Male"), ("other", "Other"), ("unknown", "Unknown")]

# One key of two columns stands for the two foreign keys that the model of Slot leaves out: a Slot takes the time of its
# own schedule's actor.
SLOT_OF_SCHEDULES_BOOKABLE = """
ALTER TABLE clinic_slot ADD CONSTRAINT slot_of_schedules_bookable
FOREIGN KEY (schedule_id, bookable_id) REFERENCES clinic_schedule (id, bookable_id)
"""

# Types of which a version is the row alone.
WITH_VERSIONS = (
    "Organization Location Practitioner Questionnaire Device Patient RelatedPerson Coverage CareTeam"
    " Slot QuestionnaireResponse Encounter Communication AuditEvent Subscription AppointmentResponse"
).split()
PARAMETERS = """'scheduling_parameters', (
    SELECT COALESCE(jsonb_agg(to_jsonb(own)), '[]') FROM clinic_schedulingparameters own WHERE {whose}
)"""
# A visit that is moved or cancelled has just let go of the Slots that it had.
SLOTS = """'slots', (
    SELECT COALESCE(jsonb_agg(id), '[]') FROM clinic_slot
    WHERE appointment_id = $1 AND (deleted_at IS NULL OR deleted_at = $2)
)"""

# What changes free time is noted where it cannot be forgotten, in the transaction of the change, statement by
# statement. Nothing is written while nobody subscribes: a booking then pays for one look at a small index.
NOTE_FUNCTIONS = """
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
NOTED = (
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
NOTE_FREE_TIME = [
    NOTE_FUNCTIONS,
    *(
        f"CREATE TRIGGER note_{happening.lower()} AFTER {happening} ON clinic_{table} REFERENCING {rows}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        for table, happening, rows, function in NOTED
    ),
]

TABLES = [
    # clinic/models/people.py
    migrations.CreateModel(
        "User",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("password", models.CharField(max_length=128, verbose_name="password")),
            ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
            (
                "is_superuser",
                models.BooleanField(
                    default=False,
                    help_text="Designates that this user has all permissions without explicitly assigning them.",
                    verbose_name="superuser status",
                ),
            ),
            ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
            ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
            (
                "is_staff",
                models.BooleanField(
                    default=False,
                    help_text="Designates whether the user can log into this admin site.",
                    verbose_name="staff status",
                ),
            ),
            (
                "is_active",
                models.BooleanField(
                    default=True,
                    help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                    verbose_name="active",
                ),
            ),
            ("date_joined", models.DateTimeField(default=timezone.now, verbose_name="date joined")),
            ("email", models.EmailField(max_length=254, unique=True, verbose_name="email address")),
            ("is_demo", models.BooleanField(default=False, editable=False)),
            (
                "groups",
                models.ManyToManyField(
                    blank=True,
                    help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                    related_name="user_set",
                    related_query_name="user",
                    to="auth.group",
                    verbose_name="groups",
                ),
            ),
            (
                "user_permissions",
                models.ManyToManyField(
                    blank=True,
                    help_text="Specific permissions for this user.",
                    related_name="user_set",
                    related_query_name="user",
                    to="auth.permission",
                    verbose_name="user permissions",
                ),
            ),
            (
                "desk_locations",
                models.ManyToManyField(
                    blank=True,
                    help_text="Sites whose calendars this person runs.",
                    related_name="desk_users",
                    to="clinic.location",
                    verbose_name="front desk of",
                ),
            ),
        ],
        options={"verbose_name": "user", "verbose_name_plural": "users", "abstract": False},
    ),
    migrations.CreateModel(
        "Practitioner",
        [
            *resource(),
            ("active", models.BooleanField(default=True)),
            ("family", models.CharField(blank=True, max_length=200, verbose_name="family name")),
            (
                "given",
                models.CharField(
                    blank=True, help_text="Separated by spaces.", max_length=200, verbose_name="given names"
                ),
            ),
            ("prefix", models.CharField(blank=True, help_text="Such as Dr.", max_length=50)),
            ("gender", models.CharField(blank=True, choices=GENDERS, max_length=10)),
            ("birth_date", models.DateField(blank=True, null=True)),
            ("phone", models.CharField(blank=True, max_length=50)),
            ("email", models.EmailField(blank=True, max_length=254)),
            ("identifier", models.JSONField(blank=True, default=list, help_text="FHIR Identifiers: system and value.")),
            (
                "timezone",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="Used where neither the schedule nor the service names a zone.",
                    max_length=64,
                    validators=[validate_zone],
                ),
            ),
            (
                "communication",
                models.JSONField(
                    blank=True, default=list, help_text="FHIR CodeableConcepts.", verbose_name="languages"
                ),
            ),
            (
                "user",
                models.OneToOneField(blank=True, null=True, on_delete=models.SET_NULL, to=settings.AUTH_USER_MODEL),
            ),
        ],
        options={
            "ordering": ["family", "given", "pk"],
            "indexes": [GinIndex(fields=["identifier"], name="practitioner_identifier", opclasses=["jsonb_path_ops"])],
        },
    ),
    migrations.CreateModel(
        "PractitionerRole",
        [
            *resource(),
            ("active", models.BooleanField(default=True)),
            (
                "practitioner",
                models.ForeignKey(on_delete=models.PROTECT, related_name="roles", to="clinic.practitioner"),
            ),
            (
                "organization",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="roles", to="clinic.organization"
                ),
            ),
            ("specialty", models.JSONField(blank=True, default=list, help_text="FHIR CodeableConcepts.")),
            (
                "timezone",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="Where this role is kept in another zone than the practitioner's.",
                    max_length=64,
                    validators=[validate_zone],
                ),
            ),
            ("identifier", models.JSONField(blank=True, default=list)),
            ("locations", models.ManyToManyField(blank=True, related_name="roles", to="clinic.location")),
            ("services", models.ManyToManyField(blank=True, related_name="roles", to="clinic.healthcareservice")),
        ],
        options={
            "ordering": ["practitioner__family", "pk"],
            "indexes": [GinIndex(fields=["specialty"], name="role_specialty", opclasses=["jsonb_path_ops"])],
        },
    ),
    migrations.CreateModel(
        "Patient",
        [
            *resource(),
            ("active", models.BooleanField(default=True)),
            ("family", models.CharField(blank=True, max_length=200, verbose_name="family name")),
            (
                "given",
                models.CharField(
                    blank=True, help_text="Separated by spaces.", max_length=200, verbose_name="given names"
                ),
            ),
            ("prefix", models.CharField(blank=True, help_text="Such as Dr.", max_length=50)),
            ("gender", models.CharField(blank=True, choices=GENDERS, max_length=10)),
            ("birth_date", models.DateField(blank=True, null=True)),
            ("phone", models.CharField(blank=True, max_length=50)),
            ("email", models.EmailField(blank=True, max_length=254)),
            ("identifier", models.JSONField(blank=True, default=list, help_text="FHIR Identifiers: system and value.")),
            (
                "language",
                models.CharField(
                    blank=True, help_text="The language to write in, such as es; empty: the clinic's.", max_length=10
                ),
            ),
            (
                "user",
                models.OneToOneField(blank=True, null=True, on_delete=models.SET_NULL, to=settings.AUTH_USER_MODEL),
            ),
        ],
        options={
            "ordering": ["family", "given", "pk"],
            "indexes": [
                GinIndex(fields=["identifier"], name="patient_identifier", opclasses=["jsonb_path_ops"]),
                models.Index(fields=["family", "given"], name="patient_name"),
                models.Index(fields=["birth_date"], name="patient_birth_date"),
            ],
        },
    ),
    migrations.CreateModel(
        "RelatedPerson",
        [
            *resource(),
            ("active", models.BooleanField(default=True)),
            ("family", models.CharField(blank=True, max_length=200, verbose_name="family name")),
            (
                "given",
                models.CharField(
                    blank=True, help_text="Separated by spaces.", max_length=200, verbose_name="given names"
                ),
            ),
            ("prefix", models.CharField(blank=True, help_text="Such as Dr.", max_length=50)),
            ("gender", models.CharField(blank=True, choices=GENDERS, max_length=10)),
            ("birth_date", models.DateField(blank=True, null=True)),
            ("phone", models.CharField(blank=True, max_length=50)),
            ("email", models.EmailField(blank=True, max_length=254)),
            ("identifier", models.JSONField(blank=True, default=list, help_text="FHIR Identifiers: system and value.")),
            (
                "patient",
                models.ForeignKey(on_delete=models.PROTECT, related_name="related_persons", to="clinic.patient"),
            ),
            ("relationship", models.JSONField(blank=True, default=list, help_text="FHIR CodeableConcepts.")),
            (
                "user",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.SET_NULL,
                    related_name="related_persons",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "ordering": ["patient", "pk"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("deleted_at__isnull", True), ("user__isnull", False)),
                    fields=("user", "patient"),
                    name="related_person_once",
                )
            ],
        },
    ),
    # clinic/models/places.py
    migrations.CreateModel(
        "Organization",
        [
            *resource(),
            ("active", models.BooleanField(default=True)),
            ("name", models.CharField(max_length=200)),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["name", "pk"],
            "indexes": [GinIndex(fields=["identifier"], name="organization_identifier", opclasses=["jsonb_path_ops"])],
        },
    ),
    migrations.CreateModel(
        "Location",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[("active", "Active"), ("suspended", "Suspended"), ("inactive", "Inactive")],
                    default="active",
                    max_length=10,
                ),
            ),
            ("name", models.CharField(max_length=200)),
            (
                "part_of",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="rooms",
                    to="clinic.location",
                    verbose_name="part of",
                ),
            ),
            (
                "organization",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="locations", to="clinic.organization"
                ),
            ),
            ("line", models.CharField(blank=True, max_length=200, verbose_name="street")),
            ("city", models.CharField(blank=True, max_length=100)),
            ("state", models.CharField(blank=True, max_length=100)),
            ("postal_code", models.CharField(blank=True, max_length=20)),
            ("country", models.CharField(blank=True, max_length=100)),
            ("phone", models.CharField(blank=True, max_length=50)),
            (
                "latitude",
                models.FloatField(blank=True, null=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]),
            ),
            (
                "longitude",
                models.FloatField(blank=True, null=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]),
            ),
            ("timezone", models.CharField(blank=True, default="", max_length=64, validators=[validate_zone])),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["name", "pk"],
            "indexes": [GinIndex(fields=["identifier"], name="location_identifier", opclasses=["jsonb_path_ops"])],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("latitude__isnull", True), ("longitude__isnull", True)),
                        models.Q(("latitude__range", (-90, 90)), ("longitude__range", (-180, 180))),
                        _connector="OR",
                    ),
                    name="location_position_whole",
                )
            ],
        },
    ),
    migrations.CreateModel(
        "Device",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("active", "Active"),
                        ("inactive", "Inactive"),
                        ("entered-in-error", "Entered In Error"),
                        ("unknown", "Unknown"),
                    ],
                    default="active",
                    max_length=20,
                ),
            ),
            ("name", models.CharField(max_length=200)),
            (
                "location",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="devices", to="clinic.location"
                ),
            ),
            ("timezone", models.CharField(blank=True, default="", max_length=64, validators=[validate_zone])),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["name", "pk"],
            "indexes": [GinIndex(fields=["identifier"], name="device_identifier", opclasses=["jsonb_path_ops"])],
        },
    ),
    # clinic/models/services.py
    migrations.CreateModel(
        "HealthcareService",
        [
            *resource(),
            ("active", models.BooleanField(default=True)),
            ("name", models.CharField(max_length=200)),
            ("comment", models.TextField(blank=True, help_text="What a patient reads before choosing this visit.")),
            (
                "preparation",
                models.TextField(blank=True, help_text="What a patient reads once it is booked: how to prepare."),
            ),
            (
                "organization",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="services", to="clinic.organization"
                ),
            ),
            ("type", models.JSONField(blank=True, default=list, help_text="FHIR CodeableConcepts.")),
            ("specialty", models.JSONField(blank=True, default=list, help_text="FHIR CodeableConcepts.")),
            ("identifier", models.JSONField(blank=True, default=list)),
            (
                "requires",
                ArrayField(
                    models.CharField(
                        choices=[("Practitioner", "Practitioner"), ("Location", "Room"), ("Device", "Device")],
                        max_length=20,
                    ),
                    blank=True,
                    default=list,
                    help_text="Kinds of schedule that one visit takes together, such as Practitioner, Location, Device.",
                ),
            ),
            (
                "bookable_by",
                models.CharField(
                    choices=[
                        ("patients", "Patients and staff"),
                        ("referred", "Referred patients and staff"),
                        ("staff", "Staff only"),
                    ],
                    default="patients",
                    max_length=10,
                ),
            ),
            (
                "on_request",
                models.BooleanField(
                    default=False,
                    help_text="Patients ask for a time, which is kept; it is booked once the people of the visit have accepted.",
                    verbose_name="on request",
                ),
            ),
            (
                "eligibility",
                models.CharField(
                    choices=[
                        ("everyone", "New and returning patients"),
                        ("new", "New patients"),
                        ("returning", "Returning patients"),
                    ],
                    default="everyone",
                    max_length=10,
                    verbose_name="for",
                ),
            ),
            ("telehealth", models.BooleanField(default=False, verbose_name="by video")),
            (
                "requires_questionnaires",
                models.BooleanField(
                    default=False, help_text="Cannot be booked before its questionnaires are answered."
                ),
            ),
            (
                "requires_coverage",
                models.BooleanField(default=False, help_text="Cannot be booked without active coverage."),
            ),
            (
                "requires_care_team",
                models.BooleanField(
                    default=False, help_text="Can be booked only with practitioners of the patient's care team."
                ),
            ),
            (
                "reminders",
                ArrayField(
                    models.DurationField(),
                    blank=True,
                    default=default_reminders,
                    help_text="How long before its start a patient is reminded; separated by commas.",
                ),
            ),
            (
                "minimum_notice",
                models.DurationField(
                    default=timedelta(), help_text="How long before its start a visit can last be booked."
                ),
            ),
            (
                "booking_horizon_days",
                models.PositiveIntegerField(
                    blank=True,
                    help_text="How far ahead a visit can be booked; empty: as far as the schedules go.",
                    null=True,
                    validators=[MaxValueValidator(3650)],
                ),
            ),
            (
                "cancellation_notice",
                models.DurationField(
                    default=timedelta(),
                    help_text="How long before its start a patient can last cancel or move a visit.",
                ),
            ),
            ("locations", models.ManyToManyField(blank=True, related_name="services", to="clinic.location")),
            ("questionnaires", models.ManyToManyField(blank=True, related_name="services", to="clinic.questionnaire")),
        ],
        options={
            "ordering": ["name", "pk"],
            "indexes": [
                GinIndex(fields=["identifier"], name="service_identifier", opclasses=["jsonb_path_ops"]),
                GinIndex(fields=["type"], name="service_type", opclasses=["jsonb_path_ops"]),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("cancellation_notice__gte", timedelta()), ("minimum_notice__gte", timedelta())),
                    name="service_notice_not_negative",
                )
            ],
        },
    ),
    # clinic/models/schedule.py
    migrations.CreateModel(
        "Bookable",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("practitioner", models.OneToOneField(null=True, on_delete=models.PROTECT, to="clinic.practitioner")),
            ("location", models.OneToOneField(null=True, on_delete=models.PROTECT, to="clinic.location")),
            ("device", models.OneToOneField(null=True, on_delete=models.PROTECT, to="clinic.device")),
            (
                "healthcare_service",
                models.OneToOneField(null=True, on_delete=models.PROTECT, to="clinic.healthcareservice"),
            ),
            ("patient", models.OneToOneField(null=True, on_delete=models.PROTECT, to="clinic.patient")),
        ],
        options={
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("device__isnull", True),
                            ("healthcare_service__isnull", True),
                            ("location__isnull", True),
                            ("patient__isnull", True),
                            ("practitioner__isnull", False),
                        ),
                        models.Q(
                            ("device__isnull", True),
                            ("healthcare_service__isnull", True),
                            ("location__isnull", False),
                            ("patient__isnull", True),
                            ("practitioner__isnull", True),
                        ),
                        models.Q(
                            ("device__isnull", False),
                            ("healthcare_service__isnull", True),
                            ("location__isnull", True),
                            ("patient__isnull", True),
                            ("practitioner__isnull", True),
                        ),
                        models.Q(
                            ("device__isnull", True),
                            ("healthcare_service__isnull", False),
                            ("location__isnull", True),
                            ("patient__isnull", True),
                            ("practitioner__isnull", True),
                        ),
                        models.Q(
                            ("device__isnull", True),
                            ("healthcare_service__isnull", True),
                            ("location__isnull", True),
                            ("patient__isnull", False),
                            ("practitioner__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="bookable_is_one_actors",
                )
            ]
        },
    ),
    migrations.CreateModel(
        "Schedule",
        [
            *resource(),
            ("active", models.BooleanField(default=True)),
            ("bookable", models.ForeignKey(on_delete=models.PROTECT, related_name="schedules", to="clinic.bookable")),
            (
                "practitioner_role",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="schedules",
                    to="clinic.practitionerrole",
                ),
            ),
            (
                "site",
                models.ForeignKey(
                    blank=True,
                    help_text="The site of its visits; empty: any.",
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="schedules",
                    to="clinic.location",
                ),
            ),
            ("offers_all_services", models.BooleanField(default=False)),
            ("planning_start", models.DateTimeField(blank=True, null=True)),
            ("planning_end", models.DateTimeField(blank=True, null=True)),
            (
                "meeting_url",
                models.URLField(
                    blank=True,
                    help_text="Where its visits by video take place.",
                    max_length=500,
                    verbose_name="video room",
                ),
            ),
            ("comment", models.CharField(blank=True, max_length=500)),
            ("identifier", models.JSONField(blank=True, default=list)),
            ("specialty", models.JSONField(blank=True, default=list, help_text="FHIR CodeableConcepts.")),
            ("services", models.ManyToManyField(blank=True, related_name="schedules", to="clinic.healthcareservice")),
        ],
        options={
            "ordering": ["pk"],
            "indexes": [GinIndex(fields=["identifier"], name="schedule_identifier", opclasses=["jsonb_path_ops"])],
            "constraints": [
                models.UniqueConstraint(fields=("id", "bookable"), name="schedule_of_bookable"),
                models.CheckConstraint(
                    condition=models.Q(
                        ("planning_start__isnull", True),
                        ("planning_end__isnull", True),
                        ("planning_start__lt", models.F("planning_end")),
                        _connector="OR",
                    ),
                    name="schedule_plans_forward",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "SchedulingParameters",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "service",
                models.ForeignKey(
                    on_delete=models.CASCADE, related_name="scheduling_parameters", to="clinic.healthcareservice"
                ),
            ),
            (
                "schedule",
                models.ForeignKey(
                    blank=True,
                    help_text="Empty: for every schedule of the service.",
                    null=True,
                    on_delete=models.CASCADE,
                    related_name="scheduling_parameters",
                    to="clinic.schedule",
                ),
            ),
            (
                "duration",
                models.PositiveIntegerField(
                    blank=True, null=True, validators=[MinValueValidator(1), MaxValueValidator(1440)]
                ),
            ),
            ("buffer_before", models.PositiveIntegerField(blank=True, null=True, validators=[MaxValueValidator(1440)])),
            ("buffer_after", models.PositiveIntegerField(blank=True, null=True, validators=[MaxValueValidator(1440)])),
            (
                "alignment_interval",
                models.PositiveIntegerField(
                    blank=True, null=True, validators=[MinValueValidator(1), MaxValueValidator(1440)]
                ),
            ),
            (
                "alignment_offset",
                models.IntegerField(
                    blank=True, null=True, validators=[MinValueValidator(-1440), MaxValueValidator(1440)]
                ),
            ),
            ("alignment_timezone", models.CharField(blank=True, default="", max_length=64, validators=[validate_zone])),
            ("timezone", models.CharField(blank=True, default="", max_length=64, validators=[validate_zone])),
            (
                "slot_capacity",
                models.PositiveIntegerField(
                    blank=True, null=True, validators=[MinValueValidator(1), MaxValueValidator(200)]
                ),
            ),
            ("availability", models.JSONField(blank=True, null=True)),
            ("not_available", models.JSONField(blank=True, default=list)),
        ],
        options={
            "verbose_name_plural": "scheduling parameters",
            "ordering": ["service__name", "pk"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("service", "schedule"), name="parameters_once_each", nulls_distinct=False
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("duration__isnull", True), ("duration__range", (1, 1440)), _connector="OR"),
                        models.Q(
                            ("alignment_interval__isnull", True),
                            ("alignment_interval__range", (1, 1440)),
                            _connector="OR",
                        ),
                        models.Q(("slot_capacity__isnull", True), ("slot_capacity__range", (1, 200)), _connector="OR"),
                    ),
                    name="parameters_within_a_day",
                ),
            ],
        },
    ),
    # clinic/models/appointment.py
    migrations.CreateModel(
        "Appointment",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("proposed", "Proposed"),
                        ("pending", "Pending"),
                        ("booked", "Booked"),
                        ("arrived", "Arrived"),
                        ("fulfilled", "Done"),
                        ("cancelled", "Cancelled"),
                        ("noshow", "No-show"),
                        ("entered-in-error", "Entered In Error"),
                        ("checked-in", "Checked In"),
                        ("waitlist", "Waitlist"),
                    ],
                    max_length=20,
                ),
            ),
            (
                "service",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="appointments",
                    to="clinic.healthcareservice",
                ),
            ),
            (
                "patient",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="appointments", to="clinic.patient"
                ),
            ),
            (
                "site",
                models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="appointments",
                    to="clinic.location",
                ),
            ),
            ("start", models.DateTimeField(blank=True, null=True)),
            ("end", models.DateTimeField(blank=True, null=True)),
            ("hold_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
            (
                "held_by",
                models.ForeignKey(
                    blank=True, editable=False, null=True, on_delete=models.SET_NULL, to=settings.AUTH_USER_MODEL
                ),
            ),
            ("held_by_guest", models.CharField(blank=True, db_index=True, editable=False, max_length=64)),
            ("hold_extended", models.BooleanField(default=False, editable=False)),
            ("left_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ("attendance_confirmed", models.DateTimeField(blank=True, editable=False, null=True)),
            ("sequence", models.PositiveIntegerField(default=0, editable=False)),
            ("created", models.DateTimeField(editable=False)),
            ("requested_start", models.DateTimeField(blank=True, editable=False, null=True)),
            ("requested_end", models.DateTimeField(blank=True, editable=False, null=True)),
            ("comment", models.TextField(blank=True)),
            ("cancelation_reason", models.JSONField(blank=True, help_text="FHIR CodeableConcept.", null=True)),
            ("participant", models.JSONField(blank=True, default=list)),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["start", "pk"],
            "indexes": [
                models.Index(fields=["patient", "start"], name="appointment_of_patient"),
                models.Index(fields=["site", "start"], name="appointment_at_site"),
                models.Index(fields=["start"], name="appointment_start"),
                models.Index(
                    condition=models.Q(("hold_expires_at__isnull", False)),
                    fields=["hold_expires_at"],
                    name="appointment_held",
                ),
                GinIndex(fields=["participant"], name="appointment_participant", opclasses=["jsonb_path_ops"]),
                GinIndex(fields=["identifier"], name="appointment_identifier", opclasses=["jsonb_path_ops"]),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("end__isnull", True), ("start__isnull", True)),
                        ("start__lt", models.F("end")),
                        _connector="OR",
                    ),
                    name="appointment_takes_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("start__isnull", False), ("status__in", ["proposed", "cancelled", "waitlist"]), _connector="OR"
                    ),
                    name="appointment_has_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(("hold_expires_at__isnull", True), ("status", "pending"), _connector="OR"),
                    name="appointment_only_holds_expire",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "Slot",
        [
            *resource(),
            (
                "schedule",
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=models.PROTECT,
                    related_name="slots",
                    to="clinic.schedule",
                ),
            ),
            (
                "bookable",
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=models.PROTECT,
                    related_name="slots",
                    to="clinic.bookable",
                ),
            ),
            (
                "appointment",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="slots", to="clinic.appointment"
                ),
            ),
            (
                "status",
                models.CharField(
                    choices=[
                        ("busy", "Busy"),
                        ("free", "Free"),
                        ("busy-unavailable", "Busy Unavailable"),
                        ("busy-tentative", "Busy Tentative"),
                        ("entered-in-error", "Entered In Error"),
                    ],
                    max_length=20,
                ),
            ),
            ("start", models.DateTimeField()),
            ("end", models.DateTimeField()),
            ("seat", models.PositiveIntegerField(blank=True, editable=False, null=True)),
            ("blocks_from", models.DateTimeField(db_default=Now(), editable=False)),
            ("hold_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ("comment", models.CharField(blank=True, max_length=500)),
            ("service_type", models.JSONField(blank=True, default=list)),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["start", "pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(
                        ("deleted_at__isnull", True), ("status__in", ("busy", "busy-tentative", "busy-unavailable"))
                    ),
                    fields=["bookable", "end", "start"],
                    include=("seat", "hold_expires_at"),
                    name="slot_taken",
                ),
                models.Index(
                    condition=models.Q(("deleted_at__isnull", True), ("status", "free")),
                    fields=["schedule", "end", "start"],
                    name="slot_free",
                ),
                models.Index(fields=["schedule", "start"], name="slot_of_schedule"),
            ],
            "constraints": [
                models.CheckConstraint(condition=models.Q(("start__lt", models.F("end"))), name="slot_takes_time"),
                models.CheckConstraint(
                    condition=models.Q(
                        ("hold_expires_at__isnull", True),
                        models.Q(
                            ("appointment__isnull", False), ("status__in", ["busy-tentative", "busy-unavailable"])
                        ),
                        _connector="OR",
                    ),
                    name="slot_only_holds_expire",
                ),
                ExclusionConstraint(
                    condition=models.Q(
                        ("deleted_at__isnull", True), ("status__in", ("busy", "busy-tentative", "busy-unavailable"))
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
                                models.F("start"),
                                models.F("end"),
                                function="tstzrange",
                                output_field=DateTimeRangeField(),
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
            ],
        },
    ),
    # clinic/models/care.py
    migrations.CreateModel(
        "Coverage",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("active", "Active"),
                        ("cancelled", "Cancelled"),
                        ("draft", "Draft"),
                        ("entered-in-error", "Entered In Error"),
                    ],
                    default="active",
                    max_length=20,
                ),
            ),
            ("beneficiary", models.ForeignKey(on_delete=models.PROTECT, related_name="coverages", to="clinic.patient")),
            ("type", models.JSONField(blank=True, help_text="FHIR CodeableConcept.", null=True)),
            ("subscriber_id", models.CharField(blank=True, max_length=100, verbose_name="member number")),
            ("payor", models.JSONField(blank=True, default=list, help_text="FHIR References; who pays, by display.")),
            ("start", models.DateField(blank=True, null=True, verbose_name="valid from")),
            ("end", models.DateField(blank=True, null=True, verbose_name="valid until")),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["-start", "-pk"],
            "indexes": [GinIndex(fields=["identifier"], name="coverage_identifier", opclasses=["jsonb_path_ops"])],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        ("start__isnull", True), ("end__isnull", True), ("start__lte", models.F("end")), _connector="OR"
                    ),
                    name="coverage_runs_forward",
                )
            ],
        },
    ),
    migrations.CreateModel(
        "CareTeam",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("proposed", "Proposed"),
                        ("active", "Active"),
                        ("suspended", "Suspended"),
                        ("inactive", "Inactive"),
                        ("entered-in-error", "Entered In Error"),
                    ],
                    default="active",
                    max_length=20,
                ),
            ),
            ("name", models.CharField(blank=True, max_length=200)),
            (
                "patient",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="care_teams", to="clinic.patient"
                ),
            ),
            (
                "participant",
                models.JSONField(blank=True, default=list, help_text="FHIR CareTeam.participant: member references."),
            ),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["name", "pk"],
            "indexes": [
                GinIndex(fields=["participant"], name="care_team_participant", opclasses=["jsonb_path_ops"]),
                GinIndex(fields=["identifier"], name="care_team_identifier", opclasses=["jsonb_path_ops"]),
            ],
        },
    ),
    migrations.CreateModel(
        "Encounter",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("planned", "Planned"),
                        ("arrived", "Arrived"),
                        ("triaged", "Triaged"),
                        ("in-progress", "In Progress"),
                        ("onleave", "On Leave"),
                        ("finished", "Finished"),
                        ("cancelled", "Cancelled"),
                        ("entered-in-error", "Entered In Error"),
                        ("unknown", "Unknown"),
                    ],
                    max_length=20,
                ),
            ),
            (
                "encounter_class",
                models.CharField(
                    choices=[("AMB", "Ambulatory"), ("VR", "Virtual")],
                    default="AMB",
                    max_length=10,
                    verbose_name="class",
                ),
            ),
            (
                "appointment",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="encounters", to="clinic.appointment"
                ),
            ),
            (
                "patient",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="encounters", to="clinic.patient"
                ),
            ),
            (
                "service",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="encounters",
                    to="clinic.healthcareservice",
                ),
            ),
            ("start", models.DateTimeField(blank=True, null=True)),
            ("end", models.DateTimeField(blank=True, null=True)),
            ("participant", models.JSONField(blank=True, default=list)),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["-start", "-pk"],
            "indexes": [GinIndex(fields=["identifier"], name="encounter_identifier", opclasses=["jsonb_path_ops"])],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(
                        ("appointment__isnull", False),
                        ("deleted_at__isnull", True),
                        models.Q(("status", "entered-in-error"), _negated=True),
                    ),
                    fields=("appointment",),
                    name="encounter_once",
                )
            ],
        },
    ),
    # clinic/models/forms.py
    migrations.CreateModel(
        "Questionnaire",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[("draft", "Draft"), ("active", "Active"), ("retired", "Retired"), ("unknown", "Unknown")],
                    default="draft",
                    max_length=10,
                ),
            ),
            ("url", models.CharField(blank=True, help_text="Its canonical name.", max_length=500)),
            ("name", models.CharField(blank=True, max_length=200)),
            ("title", models.CharField(blank=True, max_length=200)),
            ("item", models.JSONField(blank=True, default=list, help_text="FHIR Questionnaire.item")),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["title", "pk"],
            "indexes": [GinIndex(fields=["identifier"], name="questionnaire_identifier", opclasses=["jsonb_path_ops"])],
        },
    ),
    migrations.CreateModel(
        "QuestionnaireResponse",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("in-progress", "In Progress"),
                        ("completed", "Completed"),
                        ("amended", "Amended"),
                        ("entered-in-error", "Entered In Error"),
                        ("stopped", "Stopped"),
                    ],
                    default="in-progress",
                    max_length=20,
                ),
            ),
            (
                "questionnaire",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="responses", to="clinic.questionnaire"
                ),
            ),
            (
                "patient",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="questionnaire_responses",
                    to="clinic.patient",
                ),
            ),
            (
                "appointment",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="questionnaire_responses",
                    to="clinic.appointment",
                ),
            ),
            ("authored", models.DateTimeField(blank=True, null=True)),
            ("item", models.JSONField(blank=True, default=list, help_text="FHIR QuestionnaireResponse.item")),
        ],
        options={
            "ordering": ["-authored", "-pk"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(
                        ("appointment__isnull", False),
                        ("deleted_at__isnull", True),
                        models.Q(("status", "entered-in-error"), _negated=True),
                    ),
                    fields=("appointment", "questionnaire"),
                    name="questionnaire_response_once",
                )
            ],
        },
    ),
    # clinic/models/responses.py
    migrations.CreateModel(
        "AppointmentResponse",
        [
            *resource(),
            (
                "appointment",
                models.ForeignKey(on_delete=models.PROTECT, related_name="responses", to="clinic.appointment"),
            ),
            ("actor", models.JSONField(help_text="FHIR Reference.")),
            ("participant_type", models.JSONField(blank=True, default=list, help_text="FHIR CodeableConcepts.")),
            (
                "participant_status",
                models.CharField(
                    choices=[
                        ("accepted", "Accepted"),
                        ("declined", "Declined"),
                        ("tentative", "Tentative"),
                        ("needs-action", "Needs Action"),
                    ],
                    max_length=20,
                ),
            ),
            ("start", models.DateTimeField(blank=True, null=True)),
            ("end", models.DateTimeField(blank=True, null=True)),
            ("comment", models.TextField(blank=True)),
            ("identifier", models.JSONField(blank=True, default=list)),
        ],
        options={
            "ordering": ["-last_updated", "-pk"],
            "indexes": [GinIndex(fields=["actor"], name="response_actor", opclasses=["jsonb_path_ops"])],
        },
    ),
    # clinic/models/communication.py
    migrations.CreateModel(
        "Communication",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[
                        ("preparation", "Preparation"),
                        ("in-progress", "In Progress"),
                        ("not-done", "Not Done"),
                        ("on-hold", "On Hold"),
                        ("stopped", "Stopped"),
                        ("completed", "Completed"),
                        ("entered-in-error", "Entered In Error"),
                        ("unknown", "Unknown"),
                    ],
                    default="preparation",
                    max_length=20,
                ),
            ),
            ("event", models.CharField(choices=EVENTS, max_length=20)),
            ("medium", models.CharField(choices=MEDIA, max_length=10)),
            ("occasion", models.CharField(blank=True, max_length=100)),
            (
                "patient",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.PROTECT, related_name="communications", to="clinic.patient"
                ),
            ),
            (
                "appointment",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.PROTECT,
                    related_name="communications",
                    to="clinic.appointment",
                ),
            ),
            (
                "address",
                models.CharField(blank=True, help_text="An email address or a telephone number.", max_length=254),
            ),
            ("language", models.CharField(blank=True, max_length=10)),
            ("subject", models.CharField(blank=True, max_length=200)),
            ("body", models.TextField(blank=True)),
            ("due", models.DateTimeField()),
            ("claimed_until", models.DateTimeField(blank=True, editable=False, null=True)),
            ("attempts", models.PositiveIntegerField(default=0, editable=False)),
            ("sent", models.DateTimeField(blank=True, null=True)),
            ("received", models.DateTimeField(blank=True, null=True)),
            ("read", models.DateTimeField(blank=True, help_text="When it was seen on the pages.", null=True)),
            ("status_reason", models.TextField(blank=True)),
            ("provider_id", models.CharField(blank=True, db_index=True, editable=False, max_length=200)),
        ],
        options={
            "ordering": ["due", "pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(("deleted_at__isnull", True), ("status__in", ["preparation", "in-progress"])),
                    fields=["due"],
                    name="communication_due",
                ),
                models.Index(fields=["patient", "-due"], name="communication_of_patient"),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("appointment__isnull", False), models.Q(("occasion", ""), _negated=True)),
                    fields=("appointment", "event", "medium", "occasion"),
                    name="communication_once",
                )
            ],
        },
    ),
    migrations.CreateModel(
        "MessageTemplate",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("event", models.CharField(choices=EVENTS, max_length=20)),
            ("medium", models.CharField(choices=MEDIA, max_length=10)),
            ("language", models.CharField(max_length=10)),
            ("subject", models.CharField(blank=True, help_text="Of an email.", max_length=200)),
            ("body", models.TextField()),
        ],
        options={
            "ordering": ["event", "medium", "language"],
            "constraints": [
                models.UniqueConstraint(fields=("event", "medium", "language"), name="message_template_once")
            ],
        },
    ),
    migrations.CreateModel(
        "MessagePreferences",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "patient",
                models.OneToOneField(on_delete=models.CASCADE, related_name="message_preferences", to="clinic.patient"),
            ),
            ("by_email", models.BooleanField(default=True, verbose_name="by email")),
            ("by_sms", models.BooleanField(default=True, verbose_name="by text message")),
            ("reminders", models.BooleanField(default=True, verbose_name="remind me of my visits")),
        ],
        options={"verbose_name_plural": "message preferences"},
    ),
    migrations.CreateModel(
        "CalendarFeed",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "patient",
                models.ForeignKey(
                    blank=True, null=True, on_delete=models.CASCADE, related_name="calendar_feeds", to="clinic.patient"
                ),
            ),
            (
                "practitioner",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=models.CASCADE,
                    related_name="calendar_feeds",
                    to="clinic.practitioner",
                ),
            ),
            ("secret_digest", models.CharField(editable=False, max_length=64, unique=True)),
            ("created", models.DateTimeField(editable=False)),
            ("revoked", models.DateTimeField(blank=True, null=True)),
        ],
        options={
            "ordering": ["-created"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("patient__isnull", False), ("practitioner__isnull", True)),
                        models.Q(("patient__isnull", True), ("practitioner__isnull", False)),
                        _connector="OR",
                    ),
                    name="calendar_feed_is_one_persons",
                )
            ],
        },
    ),
    # clinic/models/subscription.py
    migrations.CreateModel(
        "Subscription",
        [
            *resource(),
            (
                "status",
                models.CharField(
                    choices=[("requested", "Requested"), ("active", "Active"), ("error", "Error"), ("off", "Off")],
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
                models.CharField(blank=True, help_text="Its media type; empty: nothing is sent along.", max_length=100),
            ),
            ("header", ArrayField(models.CharField(max_length=4000), blank=True, default=list, editable=False)),
            ("end", models.DateTimeField(blank=True, null=True)),
            ("error", models.TextField(blank=True)),
            ("client", models.CharField(blank=True, db_index=True, editable=False, max_length=100)),
            (
                "user",
                models.ForeignKey(
                    blank=True, editable=False, null=True, on_delete=models.SET_NULL, to=settings.AUTH_USER_MODEL
                ),
            ),
            ("failures", models.PositiveIntegerField(default=0, editable=False)),
            ("last_contact", models.DateTimeField(db_default=Now(), editable=False)),
        ],
        options={
            "ordering": ["pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(("deleted_at__isnull", True), ("status", "active")),
                    fields=["last_contact"],
                    name="subscription_active",
                )
            ],
        },
    ),
    migrations.CreateModel(
        "ScheduleChange",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("bookable", models.BigIntegerField(null=True)),
            ("schedule", models.BigIntegerField(null=True)),
            ("service", models.BigIntegerField(null=True)),
            ("start", models.DateTimeField(null=True)),
            ("end", models.DateTimeField(null=True)),
        ],
    ),
    migrations.CreateModel(
        "Notification",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "subscription",
                models.ForeignKey(on_delete=models.CASCADE, related_name="notifications", to="clinic.subscription"),
            ),
            (
                "schedule",
                models.ForeignKey(
                    blank=True, db_index=False, null=True, on_delete=models.CASCADE, to="clinic.schedule"
                ),
            ),
            ("first_day", models.DateField(blank=True, null=True)),
            ("last_day", models.DateField(blank=True, null=True)),
            (
                "status",
                models.CharField(
                    choices=[("waiting", "Waiting"), ("sending", "Sending"), ("sent", "Sent"), ("failed", "Failed")],
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
        ],
        options={
            "verbose_name": "notification of a subscriber",
            "verbose_name_plural": "notifications of subscribers",
            "ordering": ["-created", "-pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(("status__in", ["waiting", "sending"])), fields=["due"], name="notification_due"
                ),
                models.Index(fields=["created"], name="notification_log"),
            ],
        },
    ),
    # clinic/models/history.py
    migrations.CreateModel(
        "PastVersion",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("resource_type", models.CharField(max_length=64)),
            ("row_id", models.BigIntegerField()),
            ("version", models.PositiveIntegerField()),
            ("last_updated", models.DateTimeField()),
            ("patient_id", models.BigIntegerField(null=True)),
            ("row", models.JSONField()),
            ("related", models.JSONField(default=dict)),
        ],
        options={
            "indexes": [models.Index(fields=["resource_type", "last_updated"], name="past_version_in_time")],
            "constraints": [
                models.UniqueConstraint(fields=("resource_type", "row_id", "version"), name="past_version_once")
            ],
        },
    ),
    # clinic/models/audit.py
    migrations.CreateModel(
        "AuditEvent",
        [
            *resource(),
            ("recorded", models.DateTimeField()),
            (
                "action",
                models.CharField(
                    choices=[("C", "Created"), ("R", "Read"), ("U", "Changed"), ("D", "Deleted"), ("E", "Executed")],
                    max_length=1,
                ),
            ),
            ("subtype", models.CharField(help_text="The use case, such as book or cancel, or read.", max_length=50)),
            ("user", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ("client", models.CharField(blank=True, help_text="The software that acted.", max_length=100)),
            (
                "appointment",
                models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, to="clinic.appointment"),
            ),
            ("reason", models.TextField(blank=True, help_text="Why a rule was overridden, if one was.")),
            ("patient", models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, to="clinic.patient")),
        ],
        options={"ordering": ["-recorded", "-pk"]},
    ),
    migrations.CreateModel(
        "IdempotencyKey",
        [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("owner", models.CharField(max_length=100)),
            ("key", models.CharField(max_length=255)),
            ("fingerprint", models.CharField(max_length=64)),
            ("answer", models.JSONField(null=True)),
            ("created", models.DateTimeField(db_index=True)),
        ],
        options={"constraints": [models.UniqueConstraint(fields=("owner", "key"), name="idempotency_key_once")]},
    ),
]


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("clinic", "0001_initial"),
        ("clinic", "0002_slot_names_its_schedules_bookable"),
        ("clinic", "0003_messages_forms_and_care"),
        ("clinic", "0004_attendance_confirmed"),
        ("clinic", "0005_hold_left"),
        ("clinic", "0006_history"),
        ("clinic", "0007_subscriptions"),
        ("clinic", "0008_appointment_responses"),
    ]

    dependencies = [("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        AtOnce(TABLES),
        migrations.RunSQL(SLOT_OF_SCHEDULES_BOOKABLE),
        migrations.RunSQL(KEEP_VERSION),
        *(keep_versions(kind) for kind in WITH_VERSIONS),
        keep_versions(
            "PractitionerRole",
            keys_of("locations", "clinic_practitionerrole_locations", "practitionerrole_id", "location_id"),
            keys_of("services", "clinic_practitionerrole_services", "practitionerrole_id", "healthcareservice_id"),
        ),
        keep_versions(
            "HealthcareService",
            keys_of("locations", "clinic_healthcareservice_locations", "healthcareservice_id", "location_id"),
            keys_of(
                "questionnaires", "clinic_healthcareservice_questionnaires", "healthcareservice_id", "questionnaire_id"
            ),
            PARAMETERS.format(whose="service_id = $1 AND schedule_id IS NULL"),
        ),
        keep_versions(
            "Schedule",
            keys_of("services", "clinic_schedule_services", "schedule_id", "healthcareservice_id"),
            PARAMETERS.format(whose="schedule_id = $1"),
        ),
        keep_versions("Appointment", SLOTS),
        migrations.RunSQL(NOTE_FREE_TIME),
    ]
