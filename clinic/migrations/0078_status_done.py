"""The label of the status `fulfilled` is Done, as on all pages; no column changes."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0077_second_factor_rules'),
    ]

    operations = [
        migrations.AlterField(
            model_name='appointment',
            name='status',
            field=models.CharField(choices=[('proposed', 'Proposed'), ('pending', 'Pending'), ('booked', 'Booked'), ('arrived', 'Arrived'), ('fulfilled', 'Done'), ('cancelled', 'Cancelled'), ('noshow', 'No-show'), ('entered-in-error', 'Entered In Error'), ('checked-in', 'Checked In'), ('waitlist', 'Waitlist')], max_length=20),
        ),
        migrations.AlterField(
            model_name='eventreceiver',
            name='kinds',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('booked', 'Booked'), ('moved', 'Moved'), ('cancelled', 'Cancelled'), ('arrived', 'Arrived'), ('fulfilled', 'Done'), ('noshow', 'No-show'), ('corrected', 'Corrected')], max_length=10), size=None, verbose_name='events'),
        ),
        migrations.AlterField(
            model_name='visitevent',
            name='kind',
            field=models.CharField(choices=[('booked', 'Booked'), ('moved', 'Moved'), ('cancelled', 'Cancelled'), ('arrived', 'Arrived'), ('fulfilled', 'Done'), ('noshow', 'No-show'), ('corrected', 'Corrected')], max_length=10),
        ),
    ]
