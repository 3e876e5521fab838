"""Who was contacted for a role on a case stays its contact while the run lasts (D4)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0011_turning_points_are_told")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="role_contacts",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
    ]
