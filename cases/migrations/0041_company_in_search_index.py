"""The index on the words also knows the company of each case, so that whoever reads the cases of a few companies does not
look through those of all others (A1).

A million documents take a minute or two, most of it for the index. Nothing has to be indexed anew by `reindex_search`.
"""

from django.db import migrations

# Filled by the database itself, as the vector is, whoever writes a document. The company of a case never changes.
STATEMENTS = (
    "ALTER TABLE cases_searchdocument ADD COLUMN company_id bigint",
    # First, as otherwise each updated row would be entered in it
    "DROP INDEX search_document_words",
    "UPDATE cases_searchdocument AS d SET company_id = c.company_id FROM cases_case AS c WHERE c.id = d.case_id",
    "ALTER TABLE cases_searchdocument ALTER COLUMN company_id SET NOT NULL",
    # An array, as GIN knows arrays without an extension
    """CREATE INDEX search_document_words ON cases_searchdocument USING gin (vector, (ARRAY[company_id]))
       WITH (gin_pending_list_limit = 512)""",
    """CREATE FUNCTION cases_searchdocument_company() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         NEW.company_id := (SELECT company_id FROM cases_case WHERE id = NEW.case_id);
         RETURN NEW;
       END $$""",
    """CREATE TRIGGER cases_searchdocument_company BEFORE INSERT ON cases_searchdocument
       FOR EACH ROW EXECUTE FUNCTION cases_searchdocument_company()""",
)
BACK = (
    "DROP TRIGGER cases_searchdocument_company ON cases_searchdocument",
    "DROP FUNCTION cases_searchdocument_company",
    "DROP INDEX search_document_words",
    "ALTER TABLE cases_searchdocument DROP COLUMN company_id",
    "CREATE INDEX search_document_words ON cases_searchdocument USING gin (vector) WITH (gin_pending_list_limit = 512)",
)


def on_postgresql(statements):
    def execute(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return execute


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0040_what_reports_read"),
    ]

    operations = [migrations.RunPython(on_postgresql(STATEMENTS), on_postgresql(BACK))]
