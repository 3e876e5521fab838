from django.db import migrations


class Migration(migrations.Migration):
    """Have the cases with files indexed anew in the background, with the names of the files."""

    dependencies = [("cases", "0035_list_indexes")]

    operations = [
        migrations.RunSQL(
            "INSERT INTO cases_unindexedcase (case_id) SELECT DISTINCT case_id FROM cases_attachment WHERE true "
            "ON CONFLICT (case_id) DO NOTHING",
            migrations.RunSQL.noop,
        )
    ]
