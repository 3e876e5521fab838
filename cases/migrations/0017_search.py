"""The search's own tables. Cases that are there already wait in `UnindexedCase`: the beat indexes them in the background,
`manage.py reindex_search` at once; copying their keys takes seconds for a million."""

import django.db.models.deletion
from django.db import migrations, models

POSTGRESQL = (
    """ALTER TABLE cases_searchdocument ADD COLUMN vector tsvector
       GENERATED ALWAYS AS (array_to_tsvector(array_remove(string_to_array(words, ' '), ''))) STORED""",
    # PostgreSQL keeps long values beside the table once a row has 2 kB. The padding, which is stored in a few bytes, makes
    # every row that long: with the words beside it the table is short, so that reading which cases were found is quick.
    "ALTER TABLE cases_searchdocument ADD COLUMN padding text GENERATED ALWAYS AS (repeat(' ', 2000)) STORED",
    "ALTER TABLE cases_searchdocument SET (toast_tuple_target = 128)",
    "ALTER TABLE cases_searchdocument ALTER COLUMN vector SET STORAGE EXTERNAL",
    # Without statistics the planner takes every word for a rare one and uses the index; with them it reads all documents
    # for a common one, which takes seconds.
    "ALTER TABLE cases_searchdocument ALTER COLUMN vector SET STATISTICS 0",
    # A short pending list: a search has to read all of it.
    """CREATE INDEX search_document_words ON cases_searchdocument USING gin (vector)
       WITH (gin_pending_list_limit = 512)""",
)

# The words are folded already, and every sign that is not ASCII belongs to one.
SQLITE = (
    """CREATE VIRTUAL TABLE cases_searchwords
       USING fts5(words, content='cases_searchdocument', content_rowid='case_id', tokenize='ascii', detail='none', prefix='2 3')""",
    """CREATE TRIGGER cases_searchwords_insert AFTER INSERT ON cases_searchdocument BEGIN
       INSERT INTO cases_searchwords (rowid, words) VALUES (new.case_id, new.words); END""",
    """CREATE TRIGGER cases_searchwords_delete AFTER DELETE ON cases_searchdocument BEGIN
       INSERT INTO cases_searchwords (cases_searchwords, rowid, words) VALUES ('delete', old.case_id, old.words); END""",
    """CREATE TRIGGER cases_searchwords_update AFTER UPDATE ON cases_searchdocument BEGIN
       INSERT INTO cases_searchwords (cases_searchwords, rowid, words) VALUES ('delete', old.case_id, old.words);
       INSERT INTO cases_searchwords (rowid, words) VALUES (new.case_id, new.words); END""",
)


def make_index(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE cases_searchwords")  # its triggers go with the table they belong to


def note_cases(apps, schema_editor):
    schema_editor.execute("INSERT INTO cases_unindexedcase (case_id) SELECT id FROM cases_case")


class Migration(migrations.Migration):

    dependencies = [
        ("cases", "0016_taken_over"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                ("case", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="search_document", serialize=False, to="cases.case")),
                ("words", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="UnindexedCase",
            fields=[
                ("case", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False, to="cases.case")),
            ],
        ),
        migrations.RunPython(make_index, drop_index),
        migrations.RunPython(note_cases, migrations.RunPython.noop),
    ]
