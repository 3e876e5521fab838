"""Promises keep the company of their case, so that an index has those of each company (A1)."""

import cases.models.rows
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    companies = apps.get_model("cases", "Case").objects.filter(pk=OuterRef("case")).order_by().values("company")
    apps.get_model("escalations", "slatarget").objects.order_by().update(company_id=Subquery(companies))


class Migration(migrations.Migration):

    dependencies = [
        ("cases", "0044_lists_with_every_case_open"),
        ("escalations", "0015_questions_by_limit"),
    ]

    operations = [
        migrations.AddField(
            model_name="slatarget",
            name="company_id",
            field=cases.models.rows.CompanyOfCase(editable=False, null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="slatarget", name="company_id", field=cases.models.rows.CompanyOfCase(editable=False)
        ),
        migrations.AddIndex(
            model_name="slatarget",
            index=models.Index(
                fields=["company_id", "-due_at", "-id", "member", "kind", "outcome"], name="promise_by_company"
            ),
        ),
    ]
