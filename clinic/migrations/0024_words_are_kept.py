from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations

from clinic.models.words import APART, SHOWN, KeptWords

PERSON = "family given prefix gender phone email"
KEPT = [
    KeptWords("Organization", "name", "identifier"),
    KeptWords("Location", "status name line city state postal_code country phone timezone", "identifier"),
    KeptWords("Practitioner", f"{PERSON} timezone", "identifier communication"),
    KeptWords("Questionnaire", "status url name title", "identifier item"),
    KeptWords("HealthcareService", "name comment preparation", "identifier type specialty"),
    KeptWords("PractitionerRole", "timezone", "identifier specialty"),
    KeptWords("Device", "status name", "identifier"),
    KeptWords("Patient", f"{PERSON} language", "identifier"),
    KeptWords("RelatedPerson", PERSON, "identifier relationship"),
    KeptWords("Coverage", "status subscriber_id", "identifier type payor"),
    KeptWords("CareTeam", "status name", "identifier participant"),
    KeptWords("Schedule", "comment", "identifier specialty"),
    KeptWords("Slot", "status comment", "identifier service_type"),
    KeptWords("Appointment", "status comment", "identifier cancelation_reason", people="participant"),
    KeptWords("AppointmentResponse", "participant_status comment", "identifier actor participant_type"),
    KeptWords("QuestionnaireResponse", "status", "item"),
    KeptWords("Encounter", "status encounter_class", "identifier participant"),
    KeptWords("Subscription", "status reason criteria channel_type endpoint payload error"),
    KeptWords("Communication", "status event language subject body status_reason"),
    KeptWords("AuditEvent", "action subtype client target"),
]
COMPUTED = (
    "patient relatedperson coverage slot appointment appointmentresponse questionnaireresponse encounter communication"
    " auditevent"
).split()


class Migration(migrations.Migration):
    """Each table and each batch of rows is a transaction of its own. Broken off, it is run again and goes on."""

    atomic = False

    dependencies = [("clinic", "0023_words_of_labels")]

    operations = [
        migrations.RunSQL(APART, "DROP FUNCTION IF EXISTS clinic_words_apart"),
        migrations.RunSQL(SHOWN, "DROP FUNCTION IF EXISTS clinic_words_shown"),
        *(kept.keep() for kept in KEPT),
        *(kept.fill() for kept in KEPT),
        *(RemoveIndexConcurrently(kind, f"{kind}_words") for kind in COMPUTED),
    ]
