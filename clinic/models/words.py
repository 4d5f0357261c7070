"""The words of a resource, by which texts are searched: https://www.postgresql.org/docs/16/textsearch.html

Those in its columns, as far as everybody who may see the resource is shown them, and in what else was sent. Words are
told apart whatever their case and accents; those of the narrative have the weight A.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func, TextField

# By type: the columns that are texts, and those that are JSON.
COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Organization": (("name",), ("identifier",)),
    "Location": (
        ("status", "name", "line", "city", "state", "postal_code", "country", "phone", "timezone"),
        ("identifier",),
    ),
    "Practitioner": (
        ("family", "given", "prefix", "gender", "phone", "email", "timezone"),
        ("identifier", "communication"),
    ),
    "Questionnaire": (("status", "url", "name", "title"), ("identifier", "item")),
    "HealthcareService": (("name", "comment", "preparation"), ("identifier", "type", "specialty")),
    "PractitionerRole": (("timezone",), ("identifier", "specialty")),
    "Device": (("status", "name"), ("identifier",)),
    "Patient": (("family", "given", "prefix", "gender", "phone", "email", "language"), ("identifier",)),
    "RelatedPerson": (
        ("family", "given", "prefix", "gender", "phone", "email"),
        ("identifier", "relationship"),
    ),
    "Coverage": (("status", "subscriber_id"), ("identifier", "type", "payor")),
    "CareTeam": (("status", "name"), ("identifier", "participant")),
    "Schedule": (("comment",), ("identifier", "specialty")),
    "Slot": (("status", "comment"), ("identifier", "service_type")),
    "Appointment": (("status", "comment"), ("identifier", "participant", "cancelation_reason")),
    "AppointmentResponse": (("participant_status", "comment"), ("identifier", "actor", "participant_type")),
    "QuestionnaireResponse": (("status",), ("item",)),
    "Encounter": (("status", "encounter_class"), ("identifier", "participant")),
    "Subscription": (("status", "reason", "criteria", "channel_type", "endpoint", "payload", "error"), ()),
    "Communication": (("status", "event", "language", "subject", "body", "status_reason"), ()),
    "AuditEvent": (("action", "subtype", "client", "target"), ()),
}

FOLDED = """
    CREATE FUNCTION clinic_folded(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(regexp_replace(normalize(said, NFD), '[\u0300-\u036f]+', '', 'g'))
"""
# Not in SQL alone, whose plan would be made anew for every row that is written; most have nothing to look through.
TEXTS = """
    CREATE FUNCTION clinic_texts(said jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    BEGIN
        IF said IN ('{}', '[]') THEN
            RETURN '';
        END IF;
        RETURN (
            SELECT string_agg(one.text #>> '{}', ' ')
            FROM jsonb_path_query(said, 'strict $.** ? (@.type() == "string" || @.type() == "number")') AS one(text)
        );
    END
    $$
"""
# What PostgreSQL keeps as words is limited to a megabyte: of more text than this the rest is not searched.
WORDS = """
    CREATE FUNCTION clinic_words(extra jsonb, VARIADIC said text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(to_tsvector('simple', clinic_folded(left(coalesce(extra #>> '{text,div}', ''), 50000))), 'A')
        || to_tsvector('simple', clinic_folded(left(array_to_string(said || clinic_texts(extra), ' '), 100000)))
"""
# The words of names, which only spaces divide, as lexemes whose starts an index finds.
NAMES = """
    CREATE FUNCTION clinic_names(extra jsonb, VARIADIC said text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_to_tsvector(ARRAY(
        SELECT left(word, 100)
        FROM unnest(string_to_array(clinic_folded(array_to_string(said || clinic_texts(extra -> 'name'), ' ')), ' '))
            AS one(word)
        WHERE word <> ''
    ))
"""


def words_of(kind: str) -> Func:
    """Of a row of this type, as its index has them."""
    texts, documents = COLUMNS[kind]
    said = (*texts, *(Func(each, function="clinic_texts", output_field=TextField()) for each in documents))
    return Func("extra", *said, function="clinic_words", output_field=SearchVectorField())


def words_index(kind: str) -> GinIndex:
    """For the tables that grow with every patient and visit; the others are read through."""
    return GinIndex(words_of(kind), name=f"{kind.lower()}_words")


def names_of_person() -> Func:
    return Func("extra", "family", "given", "prefix", function="clinic_names", output_field=SearchVectorField())
