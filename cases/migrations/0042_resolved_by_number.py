"""The index of resolved cases is kept in the order in which it is filled, so that its pages are full and it is used."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("cases", "0041_company_in_search_index"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="case", name="case_resolved"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=models.Q(("status", "resolved")), fields=["id"], name="case_resolved"),
        ),
    ]
