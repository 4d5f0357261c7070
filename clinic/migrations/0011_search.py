from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models

from clinic.models.search_text import CLINIC_FOLDED, CLINIC_NAMES, CLINIC_TEXTS, CLINIC_WORDS

NAMES_OF_PERSON = models.Func(
    "extra", "family", "given", "prefix", function="clinic_names", output_field=SearchVectorField()
)


def words(kind, texts, documents=""):
    """The words of its texts, and of what is JSON."""
    said = [models.Func(each, function="clinic_texts", output_field=models.TextField()) for each in documents.split()]
    words = models.Func("extra", *texts.split(), *said, function="clinic_words", output_field=SearchVectorField())
    return migrations.AddIndex(model_name=kind, index=GinIndex(words, name=f"{kind}_words"))


def within(kind, field, name):
    index = GinIndex(fields=[field], name=name, opclasses=["jsonb_path_ops"])
    return migrations.AddIndex(model_name=kind, index=index)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0010_audit_reads")]

    operations = [
        migrations.RunSQL(CLINIC_FOLDED, "DROP FUNCTION clinic_folded"),
        migrations.RunSQL(CLINIC_TEXTS, "DROP FUNCTION clinic_texts"),
        migrations.RunSQL(CLINIC_WORDS, "DROP FUNCTION clinic_words"),
        migrations.RunSQL(CLINIC_NAMES, "DROP FUNCTION clinic_names"),
        words("patient", "family given prefix gender phone email language", "identifier"),
        words("relatedperson", "family given prefix gender phone email", "identifier relationship"),
        words("coverage", "status subscriber_id", "identifier type payor"),
        words("slot", "status comment", "identifier service_type"),
        words("appointment", "status comment", "identifier participant cancelation_reason"),
        words("appointmentresponse", "participant_status comment", "identifier actor participant_type"),
        words("questionnaireresponse", "status", "item"),
        words("encounter", "status encounter_class", "identifier participant"),
        words("communication", "status event language subject body status_reason"),
        words("auditevent", "action subtype client target"),
        migrations.AddIndex(model_name="patient", index=GinIndex(NAMES_OF_PERSON, name="patient_names")),
        within("practitionerrole", "identifier", "role_identifier"),
        within("appointmentresponse", "identifier", "response_identifier"),
        within("encounter", "participant", "encounter_participant"),
        within("coverage", "payor", "coverage_payor"),
    ]
