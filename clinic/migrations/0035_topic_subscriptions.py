import django.db.models.deletion
from django.db import migrations, models

# Subscriptions to events of visits need no changes of free time.
IS_SUBSCRIBED = """
CREATE OR REPLACE FUNCTION clinic_is_subscribed() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM clinic_subscription WHERE status = 'active' AND deleted_at IS NULL{condition})
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0034_event_receivers'),
    ]

    operations = [
        migrations.AddField(
            model_name='notification',
            name='event',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to='clinic.visitevent'),
        ),
        migrations.AddField(
            model_name='notification',
            name='number',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='subscription',
            name='events',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='subscription',
            name='heartbeat',
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='subscription',
            name='scopes',
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='subscription',
            name='topic',
            field=models.CharField(blank=True, editable=False, max_length=30),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.UniqueConstraint(fields=('subscription', 'number'), name='notification_number_once'),
        ),
        migrations.RunSQL(
            IS_SUBSCRIBED.format(condition=" AND topic IN ('', 'slot-changed')"), IS_SUBSCRIBED.format(condition="")
        ),
    ]
