"""One name for a list everywhere, and “Open” for what nobody has decided. Words only: the database stays as it is."""

import django_fsm
from django.db import migrations

STATUSES = [
    ("requested", "Open"),
    ("accepted", "Accepted"),
    ("declined", "Declined"),
    ("withdrawn", "Withdrawn"),
    ("closed", "Closed"),
]


class Migration(migrations.Migration):
    dependencies = [("escalations", "0008_versions_keep_the_reason")]

    operations = [
        migrations.AlterModelOptions(
            name="escalationrequest",
            options={
                "ordering": ["-requested_at", "-pk"],
                "verbose_name": "request or decision",
                "verbose_name_plural": "requests and decisions",
            },
        ),
        migrations.AlterModelOptions(
            name="historicalescalationrequest",
            options={
                "get_latest_by": ("history_date", "history_id"),
                "ordering": ("-history_date", "-history_id"),
                "verbose_name": "historical request or decision",
                "verbose_name_plural": "historical requests and decisions",
            },
        ),
        *(
            migrations.AlterField(
                model_name=model,
                name="status",
                field=django_fsm.FSMField(choices=STATUSES, default="requested", max_length=10, protected=True),
            )
            for model in ("escalationrequest", "historicalescalationrequest")
        ),
    ]
