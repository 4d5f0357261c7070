from django.db import migrations


class Migration(migrations.Migration):
    """A Slot takes the time of its own schedule's actor: no writer can name another's.

    Without it a row with a made-up bookable would slip past `slot_never_sold_twice`. One key of two columns
    stands for the two foreign keys that the model leaves out.
    """

    dependencies = [("clinic", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
                ALTER TABLE clinic_slot ADD CONSTRAINT slot_of_schedules_bookable
                FOREIGN KEY (schedule_id, bookable_id) REFERENCES clinic_schedule (id, bookable_id)
            """,
            reverse_sql="ALTER TABLE clinic_slot DROP CONSTRAINT slot_of_schedules_bookable",
        )
    ]
