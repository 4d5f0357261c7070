from django.db import migrations

# Free time changes with whom it is of: who leaves, a role that ends, a room or a site that is closed, a device.
FUNCTIONS = """
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
TRIGGERS = {
    "practitioner": "clinic_note_practitioners",
    "practitionerrole": "clinic_note_roles",
    "device": "clinic_note_devices",
    "location": "clinic_note_locations",
}
CREATE = [
    f"CREATE TRIGGER note_update AFTER UPDATE ON clinic_{table} REFERENCING OLD TABLE AS before NEW TABLE AS after"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    for table, function in TRIGGERS.items()
]
DROP = [f"DROP TRIGGER note_update ON clinic_{table}" for table in TRIGGERS] + [
    f"DROP FUNCTION {', '.join(f'{each}()' for each in TRIGGERS.values())}"
]


class Migration(migrations.Migration):
    dependencies = [("clinic", "0018_blocks_lie_under_visits")]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(CREATE, DROP),
    ]
