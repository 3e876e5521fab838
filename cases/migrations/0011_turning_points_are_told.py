"""When a turning point was last told (T5). What turned before this version is not told any more."""

from django.db import migrations, models
from django.utils import timezone


def nothing_to_tell(apps, schema_editor):
    apps.get_model("cases", "Case").objects.update(turn_told_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("cases", "0010_what_keeps_mail_here")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="turn_told_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(nothing_to_tell, migrations.RunPython.noop),
    ]
