import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def register(apps, schema_editor):
    """Software that is registered already could ask for anything: it keeps that, for an administrator to narrow."""
    applications = apps.get_model("oauth2_provider", "Application").objects.filter(
        authorization_grant_type="client-credentials"
    )
    apps.get_model("clinic", "AppRegistration").objects.bulk_create(
        apps.get_model("clinic", "AppRegistration")(application=each, scopes="system/*.cruds") for each in applications
    )


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0008_appointment_responses"),
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AppRegistration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "publisher",
                    models.CharField(blank=True, help_text="Who makes it, as people know them.", max_length=200),
                ),
                (
                    "homepage",
                    models.CharField(
                        blank=True,
                        max_length=500,
                        validators=[django.core.validators.URLValidator(("https", "http"))],
                    ),
                ),
                (
                    "logo_url",
                    models.CharField(
                        blank=True,
                        help_text="An image, at an https address.",
                        max_length=500,
                        validators=[django.core.validators.URLValidator(("https",))],
                        verbose_name="logo",
                    ),
                ),
                (
                    "scopes",
                    models.TextField(
                        blank=True,
                        help_text="What it may ask for at most, divided by spaces, such as patient/*.rs"
                        " patient/Appointment.cu openid.",
                    ),
                ),
                (
                    "jwks_url",
                    models.CharField(
                        blank=True,
                        help_text="Where its public keys are (a JWK Set), for software that signs in with a key.",
                        max_length=500,
                        validators=[django.core.validators.URLValidator(("https", "http"))],
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
                (
                    "application",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="registration",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "registration"},
        ),
        migrations.CreateModel(
            name="Launch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.TextField()),
                ("code_digest", models.CharField(max_length=64, unique=True)),
                ("created", models.DateTimeField()),
                ("last_used", models.DateTimeField()),
                (
                    "access_token",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="launch",
                        to=settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="launches",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="launches",
                        to="clinic.patient",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="launches",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["user", "application"], name="launch_of_user")]},
        ),
        migrations.CreateModel(
            name="UsedAssertion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("expires", models.DateTimeField(db_index=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("application", "digest"), name="assertion_once")]
            },
        ),
        migrations.RunPython(register, migrations.RunPython.noop),
    ]
