
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0076_extra_seats'),
    ]

    operations = [
        migrations.CreateModel(
            name='SecondFactorRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('administrator', 'Administrator'), ('owner', 'Owner'), ('manager', 'Manager'), ('front-desk', 'Front desk'), ('practitioner', 'Practitioner'), ('assistant', 'Assistant of one practitioner'), ('billing', 'Billing'), ('reader', 'Read only')], max_length=20, unique=True)),
                ('required_from', models.DateTimeField()),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['administrator', 'owner', 'manager', 'front-desk', 'practitioner', 'assistant', 'billing', 'reader'])), name='second_factor_rule_role')],
            },
        ),
    ]
