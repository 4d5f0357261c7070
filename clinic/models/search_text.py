"""The search text of a resource for _text and _content: https://www.postgresql.org/docs/16/textsearch.html

Triggers keep the words of each row in a table of its own (SearchTextTable), so that a search computes none. Words come
from the columns that every reader of the resource may see, and from the other elements that were sent. Case and accents
do not matter; words of the narrative have the weight A.
"""

from dataclasses import dataclass

from django.contrib.postgres.search import SearchVectorField
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Func

CLINIC_FOLDED = """
    CREATE FUNCTION clinic_folded(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(regexp_replace(normalize(said, NFD), '[\u0300-\u036f]+', '', 'g'))
"""
# In plpgsql, since a function in SQL would be planned again for every row that is written.
CLINIC_TEXTS = """
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
# A tsvector is limited to a megabyte, so text beyond these lengths is not searched.
CLINIC_WORDS = """
    CREATE FUNCTION clinic_words(extra jsonb, VARIADIC said text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(to_tsvector('simple', clinic_folded(left(coalesce(extra #>> '{text,div}', ''), 50000))), 'A')
        || to_tsvector('simple', clinic_folded(left(array_to_string(said || clinic_texts(extra), ' '), 100000)))
"""
# The words of a person's names, split at spaces, for an index that finds their beginnings.
CLINIC_NAMES = """
    CREATE FUNCTION clinic_names(extra jsonb, VARIADIC said text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_to_tsvector(ARRAY(
        SELECT left(word, 100)
        FROM unnest(string_to_array(clinic_folded(array_to_string(said || clinic_texts(extra -> 'name'), ' ')), ' '))
            AS one(word)
        WHERE word <> ''
    ))
"""

# The words of a row without its list of people, and the words of each item of the list with its actor.
CLINIC_WORDS_APART = """
    CREATE OR REPLACE FUNCTION clinic_words_apart(items jsonb, rest tsvector) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_build_array(jsonb_build_object('words', rest::text)) || (
        SELECT jsonb_agg(jsonb_build_object('actor', actor, 'words', clinic_words('{}', said)::text))
        FROM (
            SELECT jsonb_path_query_first(item, '$.actor') AS actor, said,
                sum(length(said)) OVER (ORDER BY place) AS until
            FROM jsonb_path_query(items, '$[*]') WITH ORDINALITY AS one(item, place), clinic_texts(item) AS said
        ) AS each
        WHERE until <= 100000
    )
"""
CLINIC_WORDS_SHOWN = """
    CREATE OR REPLACE FUNCTION clinic_words_shown(parts jsonb, test jsonpath) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
        part jsonb;
        shown tsvector := '';
    BEGIN
        FOR part IN SELECT jsonb_path_query(parts, test) LOOP
            shown := shown || (part ->> 'words')::tsvector;
        END LOOP;
        RETURN shown;
    END
    $$
"""
PEOPLE = """$[*] ? (@.actor.reference like_regex "(^|/)(Patient|RelatedPerson)/"
        || @.actor.type == "Patient" || @.actor.type == "RelatedPerson")"""


BATCH = 1000  # rows that one statement, and so one transaction, fills in


def search_text_table(kind: str) -> str:
    """Return the name of the table that holds the words of a resource type's rows, by their primary key."""
    return f"clinic_{kind.lower()}_words"


@dataclass(frozen=True)
class SearchTextTable:
    """The table with the words of a resource type, which triggers keep up to date. For migrations.

    `texts` are columns of text, `documents` columns of JSON, both separated by spaces. `people` is a column of JSON
    whose items not every reader of the row may see; if it names more than one patient or related person, the words of
    each item are stored separately too.
    """

    kind: str
    texts: str = ""
    documents: str = ""
    people: str = ""

    def keep(self) -> migrations.RunSQL:
        """Return the operation that creates the table and the triggers. It can be run again."""
        table, kept, upserted = self._table, search_text_table(self.kind), ("words", *self._parts)
        return migrations.RunSQL(
            [
                f"CREATE TABLE IF NOT EXISTS {kept} (row_id bigint PRIMARY KEY, words tsvector NOT NULL)",
                *(f"ALTER TABLE {kept} ADD COLUMN IF NOT EXISTS {part} jsonb" for part in self._parts),
                f"CREATE INDEX IF NOT EXISTS {self.kind.lower()}_kept_words ON {kept} USING gin (words)",
                f"""
CREATE OR REPLACE FUNCTION {kept}_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE {kept};
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM {kept} WHERE row_id = OLD.id;
    ELSIF NEW.deleted_at IS NOT NULL THEN
        DELETE FROM {kept} WHERE row_id = NEW.id;
    ELSE
        INSERT INTO {kept} VALUES ({self._row("NEW")})
        ON CONFLICT (row_id) DO UPDATE SET {", ".join(f"{column} = EXCLUDED.{column}" for column in upserted)};
    END IF;
    RETURN NULL;
END $$
""",
                *(
                    f"CREATE OR REPLACE TRIGGER {name} AFTER {event} ON {table} FOR EACH {condition}"
                    f" EXECUTE FUNCTION {kept}_kept()"
                    for name, (event, condition) in self._triggers.items()
                ),
            ],
            [
                *(f"DROP TRIGGER IF EXISTS {name} ON {table}" for name in self._triggers),
                f"DROP FUNCTION IF EXISTS {kept}_kept()",
                f"DROP TABLE IF EXISTS {kept}",
            ],
        )

    def fill(self) -> migrations.RunPython:
        """Return the operation that fills in the words of existing rows in batches. Run again, it continues."""
        kept = search_text_table(self.kind)
        statement = f"""
            WITH batch AS (SELECT * FROM {self._table} WHERE id > %s ORDER BY id LIMIT {BATCH}),
            filled AS (
                INSERT INTO {kept} SELECT {self._row("batch")} FROM batch
                WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM {kept} WHERE row_id = id)
                ON CONFLICT DO NOTHING
            )
            SELECT max(id) FROM batch
        """

        def fill(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
            with editor.connection.cursor() as cursor:
                last: int | None = 0
                while last is not None:
                    cursor.execute(statement, [last])
                    [last] = cursor.fetchone()
                cursor.execute(f"ANALYZE {kept}")

        return migrations.RunPython(fill, migrations.RunPython.noop)

    @property
    def _table(self) -> str:
        return f"clinic_{self.kind.lower()}"

    @property
    def _parts(self) -> tuple[str, ...]:
        return ("parts",) if self.people else ()

    @property
    def _triggers(self) -> dict[str, tuple[str, str]]:
        """The event and the condition of each trigger. An update that changes no words only compares columns."""
        columns = ["deleted_at", "extra", *self.texts.split(), *self.documents.split(), *self.people.split()]
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
        return {
            "words_of_new": ("INSERT", "ROW WHEN (NEW.deleted_at IS NULL)"),
            "words_of_changed": ("UPDATE", f"ROW WHEN ({changed})"),
            "words_of_gone": ("DELETE", "ROW"),
            "words_of_none": ("TRUNCATE", "STATEMENT"),
        }

    def _row(self, row: str) -> str:
        """Return the SQL for the columns of a row of this table."""
        columns = [f"{row}.id", self._words(row, f"{self.documents} {self.people}")]
        if self.people:
            people = f"jsonb_path_query_array({row}.{self.people}, '{PEOPLE}')"
            apart = f"clinic_words_apart({row}.{self.people}, {self._words(row, self.documents)})"
            columns.append(f"CASE WHEN jsonb_array_length({people}) > 1 THEN {apart} END")
        return ", ".join(columns)

    def _words(self, row: str, documents: str) -> str:
        texts = [f"{row}.{column}::text" for column in self.texts.split()]
        texts += [f"clinic_texts({row}.{column})" for column in documents.split()]
        return f"clinic_words({row}.extra, {', '.join(texts)})"


def person_names() -> Func:
    """Return the expression for the words of a person's names."""
    return Func("extra", "family", "given", "prefix", function="clinic_names", output_field=SearchVectorField())
