"""Tables and columns get the trade's words; no row changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0008_trade_words"), ("escalations", "0003_base_intervals")]

    operations = [
        migrations.RenameModel("Promise", "SlaTarget"),
        migrations.RenameModel("StaffLine", "DigestLine"),
        migrations.AlterModelOptions(
            "slatarget", options={"ordering": ["case", "kind", "member", "since"], "verbose_name": "promise"}
        ),
        migrations.AlterModelOptions("digestline", options={"ordering": ["pk"], "verbose_name": "staff line"}),
        migrations.RenameField("escalation", "rhythm", "cadence"),
        migrations.RenameField("schedulepoint", "rhythm", "cadence"),
        migrations.AlterField(
            "digestline",
            "case",
            models.ForeignKey(on_delete=models.PROTECT, related_name="digest_lines", to="cases.case"),
        ),
        migrations.AlterField(
            "digestline",
            "mail",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=models.PROTECT,
                related_name="digest_lines",
                to="cases.mail",
                to_field="key",
            ),
        ),
        migrations.AlterField(
            "slatarget",
            "case",
            models.ForeignKey(on_delete=models.PROTECT, related_name="sla_targets", to="cases.case"),
        ),
        migrations.AlterField(
            "slatarget",
            "mail",
            models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=models.PROTECT,
                related_name="sla_targets",
                to="cases.mail",
                to_field="key",
            ),
        ),
    ]
