"""Indexes for lists and dashboards when every case is open: promises at risk, and the open and resolved of a company."""

from django.db import migrations, models

OPEN = models.Q(("status", "resolved"), _negated=True)


class Migration(migrations.Migration):

    dependencies = [
        ("cases", "0043_tally_of_loads"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="case", name="case_open_by_due"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=OPEN, fields=["next_due_at", "-id", "sla_due_at"], name="case_open_by_due"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=OPEN, fields=["company", "severity", "status"], name="case_open_by_company"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status", "resolved")), fields=["company", "-id"], name="case_resolved_by_company"
            ),
        ),
    ]
