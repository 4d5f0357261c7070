from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.models import F, Q


def number(label, most, help_text, *, least=1, **more):
    validators = [MinValueValidator(least), MaxValueValidator(most)]
    return models.PositiveSmallIntegerField(label, validators=validators, help_text=help_text, **more)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0043_templates_of_services")]

    operations = [
        migrations.AddField(
            "healthcareservice",
            "course_limit",
            number(
                "visits of a course, at most",
                52,
                "How many visits a patient can book at once; empty: one at a time.",
                least=2,
                null=True,
                blank=True,
            ),
        ),
        migrations.AddField(
            "healthcareservice",
            "course_visits",
            number(
                "visits of a course, as a rule",
                52,
                "The number that is suggested; empty: as many as can be booked.",
                least=2,
                null=True,
                blank=True,
            ),
        ),
        migrations.AddField(
            "healthcareservice",
            "course_weeks",
            number("weeks between two visits of a course", 26, "The number that is suggested.", default=1),
        ),
        migrations.AddField(
            "healthcareservice",
            "course_days",
            number(
                "days between two visits of a course",
                60,
                "At least, for visits that are booked as close together as possible.",
                default=1,
            ),
        ),
        migrations.AddConstraint(
            "healthcareservice",
            models.CheckConstraint(
                name="service_course_in_order",
                condition=Q(course_visits__isnull=True) | Q(course_visits__lte=F("course_limit")),
                violation_error_message="A course cannot have more visits as a rule than at most.",
            ),
        ),
        migrations.RemoveConstraint("appointment", "appointment_numbered_in_series"),
        AddConstraintNotValid(
            "appointment",
            models.CheckConstraint(
                name="appointment_numbered_in_series",
                condition=Q(occurrence__isnull=True, occurrences__isnull=True)
                | Q(
                    series__isnull=False,
                    occurrence__isnull=False,
                    occurrence__gte=1,
                    occurrences__isnull=False,
                    occurrences__gte=F("occurrence"),
                ),
            ),
        ),
        ValidateConstraint("appointment", "appointment_numbered_in_series"),
    ]
