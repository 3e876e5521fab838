"""A case can be taken over (C8). Words only: the database stays as it is."""

from django.db import migrations, models

MOVES = [
    ("opened", "Opened"),
    ("imported", "Imported"),
    ("started", "Work started"),
    ("asked", "Customer asked"),
    ("taken_back", "Question taken back"),
    ("responded", "Customer responded"),
    ("resolved", "Resolved"),
    ("reopened", "Reopened"),
    ("severity", "Severity changed"),
    ("reassigned", "Handed over"),
    ("taken_over", "Taken over"),
    ("edited", "Details edited"),
    ("followed_up", "Followed up"),
    ("escalated", "Escalated"),
    ("moved", "Moved to another schedule version"),
]


class Migration(migrations.Migration):
    dependencies = [("cases", "0015_outcome_of_a_call")]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="last_move",
            field=models.CharField(choices=MOVES, default="opened", max_length=12),
        )
        for model in ("case", "historicalcase")
    ]
