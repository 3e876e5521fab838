"""Questions and requests keep the company of their case, so that an index has those of each company (A1)."""

import cases.models.rows
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

MODELS = ("question", "escalationrequest")


def fill(apps, schema_editor):
    """One statement for each table."""
    companies = apps.get_model("cases", "Case").objects.filter(pk=OuterRef("case")).order_by().values("company")
    for name in MODELS:
        apps.get_model("escalations", name).objects.order_by().update(company_id=Subquery(companies))


class Migration(migrations.Migration):

    dependencies = [
        ("cases", "0041_company_in_search_index"),
        ("escalations", "0013_reports"),
    ]

    operations = [
        *(
            migrations.AddField(
                model_name=name, name="company_id", field=cases.models.rows.CompanyOfCase(editable=False, null=True)
            )
            for name in MODELS
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        *(
            migrations.AlterField(
                model_name=name, name="company_id", field=cases.models.rows.CompanyOfCase(editable=False)
            )
            for name in MODELS
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(fields=["company_id", "-asked_at", "-id"], name="question_by_company"),
        ),
        migrations.AddIndex(
            model_name="escalationrequest",
            index=models.Index(fields=["company_id", "-requested_at", "-id"], name="request_by_company"),
        ),
    ]
