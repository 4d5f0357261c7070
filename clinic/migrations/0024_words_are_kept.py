from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations

from clinic.models.search_text import CLINIC_WORDS_APART, CLINIC_WORDS_SHOWN, SearchTextTable

PERSON = "family given prefix gender phone email"
KEPT = [
    SearchTextTable("Organization", "name", "identifier"),
    SearchTextTable("Location", "status name line city state postal_code country phone timezone", "identifier"),
    SearchTextTable("Practitioner", f"{PERSON} timezone", "identifier communication"),
    SearchTextTable("Questionnaire", "status url name title", "identifier item"),
    SearchTextTable("HealthcareService", "name comment preparation", "identifier type specialty"),
    SearchTextTable("PractitionerRole", "timezone", "identifier specialty"),
    SearchTextTable("Device", "status name", "identifier"),
    SearchTextTable("Patient", f"{PERSON} language", "identifier"),
    SearchTextTable("RelatedPerson", PERSON, "identifier relationship"),
    SearchTextTable("Coverage", "status subscriber_id", "identifier type payor"),
    SearchTextTable("CareTeam", "status name", "identifier participant"),
    SearchTextTable("Schedule", "comment", "identifier specialty"),
    SearchTextTable("Slot", "status comment", "identifier service_type"),
    SearchTextTable("Appointment", "status comment", "identifier cancelation_reason", people="participant"),
    SearchTextTable("AppointmentResponse", "participant_status comment", "identifier actor participant_type"),
    SearchTextTable("QuestionnaireResponse", "status", "item"),
    SearchTextTable("Encounter", "status encounter_class", "identifier participant"),
    SearchTextTable("Subscription", "status reason criteria channel_type endpoint payload error"),
    SearchTextTable("Communication", "status event language subject body status_reason"),
    SearchTextTable("AuditEvent", "action subtype client target"),
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
        migrations.RunSQL(CLINIC_WORDS_APART, "DROP FUNCTION IF EXISTS clinic_words_apart"),
        migrations.RunSQL(CLINIC_WORDS_SHOWN, "DROP FUNCTION IF EXISTS clinic_words_shown"),
        *(kept.keep() for kept in KEPT),
        *(kept.fill() for kept in KEPT),
        *(RemoveIndexConcurrently(kind, f"{kind}_words") for kind in COMPUTED),
    ]
