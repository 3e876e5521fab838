"""Lines to staff that do not press wait for the reader's next common moment (T3)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("escalations", "0006_questions_keep_who_was_asked_first")]

    operations = [
        migrations.AddField(
            model_name="digestline",
            name="send_by",
            field=models.DateTimeField(
                blank=True,
                help_text="Waits until then for other mail to the same person; at once without it.",
                null=True,
            ),
        ),
    ]
