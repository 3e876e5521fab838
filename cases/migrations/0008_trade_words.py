"""Tables and columns get the trade's words; no row changes."""

from django.db import migrations, models
from django.db.models import Q

RENAMED = {
    "look_at": ("escalation_check_at", "case_to_look_at", "case_check_escalation"),
    "follow_up_at": ("follow_up_check_at", "case_to_follow_up", "case_check_follow_up"),
    "promise_at": ("sla_check_at", "case_to_promise", "case_check_sla"),
}


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_waits_under_way")]

    operations = [
        migrations.RenameModel("Notice", "FollowUp"),
        migrations.RenameModel("SetAside", "FailedCase"),
        migrations.RenameModel("Pulse", "SweepRun"),
        migrations.AlterModelOptions(
            "followup", options={"ordering": ["case", "episode", "due_at"], "verbose_name": "notice"}
        ),
        migrations.AlterModelOptions("sweeprun", options={"ordering": ["name"], "verbose_name": "pulse"}),
        # An index that names a column is made anew: the state of migrations does not follow a renamed column.
        *(migrations.RemoveIndex("case", index) for _, index, _ in RENAMED.values()),
        *(migrations.RenameField("case", old, new) for old, (new, _, _) in RENAMED.items()),
        *(
            migrations.AddIndex(
                "case",
                models.Index(fields=[column, "id"], condition=Q(**{f"{column}__isnull": False}), name=index),
            )
            for column, _, index in RENAMED.values()
        ),
        migrations.RenameField("case", "promises_since", "sla_counts_from"),
        migrations.RenameField("case", "update_rhythm", "update_cadence"),
        migrations.RenameField("historicalcase", "update_rhythm", "update_cadence"),
        migrations.AlterField(
            "failedcase",
            "case",
            models.ForeignKey(on_delete=models.CASCADE, related_name="failures", to="cases.case"),
        ),
        migrations.AlterField(
            "followup",
            "case",
            models.ForeignKey(on_delete=models.PROTECT, related_name="follow_ups", to="cases.case"),
        ),
        migrations.AlterField(
            "followup",
            "mail",
            models.OneToOneField(
                blank=True, null=True, on_delete=models.PROTECT, related_name="follow_up", to="cases.mail"
            ),
        ),
    ]
