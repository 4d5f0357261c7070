import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0051_index_of_the_waitlist'),
    ]

    operations = [
        migrations.AddField(
            model_name='coverage',
            name='confirmed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='confirmed by the patient'),
        ),
        migrations.AddField(
            model_name='coverage',
            name='verification',
            field=models.CharField(choices=[('declared', 'Not checked yet'), ('verified', 'Checked by the clinic'), ('rejected', 'Rejected by the clinic')], db_default='declared', default='declared', max_length=10),
        ),
        migrations.AddField(
            model_name='coverage',
            name='verification_reason',
            field=models.TextField(blank=True, db_default='', default='', help_text='Why it was rejected: the patient reads it.', verbose_name='reason'),
        ),
        migrations.AddField(
            model_name='coverage',
            name='verified_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='checked'),
        ),
        migrations.AddField(
            model_name='healthcareservice',
            name='requires_verified_coverage',
            field=models.BooleanField(db_default=False, default=False, help_text="Cannot be booked before the clinic has checked the patient's coverage."),
        ),
        migrations.AddField(
            model_name='patient',
            name='details_confirmed',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='patient',
            name='identity_verified',
            field=models.BooleanField(db_default=False, default=False, help_text='Patients then ask for a change of them, and staff decide.', verbose_name='name and birth date verified'),
        ),
        migrations.AlterField(
            model_name='communication',
            name='event',
            field=models.CharField(choices=[('request', 'A visit is asked for'), ('staff-request', "A request waits for the staff's answer"), ('suggestion', 'The clinic suggests another time for a request'), ('offer', 'A time comes free for somebody on the waiting list'), ('confirmation', 'A visit is booked'), ('change', 'A visit is moved or changed'), ('cancellation', 'A visit is cancelled'), ('reminder', 'A visit is near'), ('delay', 'A visit begins later than planned'), ('refund', 'Money is given back'), ('time-lost', 'A payment came after the time was gone'), ('fee', 'A fee for a missed visit is charged'), ('coverage-verified', 'The clinic has checked an insurance'), ('coverage-rejected', 'The clinic cannot accept an insurance'), ('proof', 'A guest proves an email address'), ('reply', 'A patient answers by text message'), ('answer', "The clinic answers a patient's text message"), ('referral', 'A referrer hears what became of a referral')], max_length=20),
        ),
        migrations.AlterField(
            model_name='messagetemplate',
            name='event',
            field=models.CharField(choices=[('request', 'A visit is asked for'), ('staff-request', "A request waits for the staff's answer"), ('suggestion', 'The clinic suggests another time for a request'), ('offer', 'A time comes free for somebody on the waiting list'), ('confirmation', 'A visit is booked'), ('change', 'A visit is moved or changed'), ('cancellation', 'A visit is cancelled'), ('reminder', 'A visit is near'), ('delay', 'A visit begins later than planned'), ('refund', 'Money is given back'), ('time-lost', 'A payment came after the time was gone'), ('fee', 'A fee for a missed visit is charged'), ('coverage-verified', 'The clinic has checked an insurance'), ('coverage-rejected', 'The clinic cannot accept an insurance'), ('proof', 'A guest proves an email address'), ('reply', 'A patient answers by text message'), ('answer', "The clinic answers a patient's text message"), ('referral', 'A referrer hears what became of a referral')], max_length=20),
        ),
        migrations.CreateModel(
            name='CardPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(choices=[('front', 'Front'), ('back', 'Back')], max_length=5)),
                ('image', models.BinaryField()),
                ('taken', models.DateTimeField()),
                ('coverage', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='photos', to='clinic.coverage')),
            ],
            options={
                'ordering': ['coverage', '-side'],
                'constraints': [models.UniqueConstraint(fields=('coverage', 'side'), name='card_photo_once')],
            },
        ),
        migrations.CreateModel(
            name='DetailsChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('changes', models.JSONField()),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('accepted', 'Accepted'), ('declined', 'Declined')], default='waiting', max_length=10)),
                ('created', models.DateTimeField()),
                ('decided', models.DateTimeField(blank=True, null=True)),
                ('reason', models.TextField(blank=True)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='details_changes', to='clinic.patient')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created', '-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'waiting')), fields=('patient',), name='details_change_waits_once')],
            },
        ),
    ]
