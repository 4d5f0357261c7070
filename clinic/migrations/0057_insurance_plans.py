import clinic.models.base
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from clinic.models.history import keep_versions, keys_of
from clinic.models.search_text import SearchTextTable


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0056_recalls'),
    ]

    operations = [
        migrations.CreateModel(
            name='InsurancePlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fhir_id', models.CharField(default=clinic.models.base.new_fhir_id, max_length=64, unique=True, validators=[django.core.validators.RegexValidator('\\A[A-Za-z0-9\\-.]{1,64}\\Z', 'An id is 1 to 64 letters, digits, hyphens and full stops.')], verbose_name='id')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('last_updated', models.DateTimeField(db_index=True, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('extra', models.JSONField(blank=True, default=dict, editable=False)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('retired', 'Retired'), ('unknown', 'Unknown')], default='active', max_length=10)),
                ('name', models.CharField(max_length=200)),
                ('identifier', models.JSONField(blank=True, default=list)),
                ('locations', models.ManyToManyField(blank=True, help_text='Empty: at all sites.', related_name='insurance_plans', to='clinic.location')),
                ('payer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='insurance_plans', to='clinic.organization')),
                ('services', models.ManyToManyField(blank=True, help_text='Empty: for all services.', related_name='insurance_plans', to='clinic.healthcareservice')),
            ],
            options={
                'ordering': ['name', 'pk'],
            },
        ),
        keep_versions(
            "InsurancePlan",
            keys_of("services", "clinic_insuranceplan_services", "insuranceplan_id", "healthcareservice_id"),
            keys_of("locations", "clinic_insuranceplan_locations", "insuranceplan_id", "location_id"),
        ),
        SearchTextTable("InsurancePlan", "status name", "identifier").keep(),
        migrations.AddField(
            model_name='coverage',
            name='insurance_plan',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='coverages', to='clinic.insuranceplan', verbose_name='plan'),
        ),
        migrations.AddIndex(
            model_name='insuranceplan',
            index=django.contrib.postgres.indexes.GinIndex(fields=['identifier'], name='insurance_plan_identifier', opclasses=['jsonb_path_ops']),
        ),
    ]
