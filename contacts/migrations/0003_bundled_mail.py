"""How often a member of staff gets mail that does not press (T3)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_mailable_addresses_and_failed_sign_ins")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="bundle_minutes",
            field=models.PositiveSmallIntegerField(
                choices=[
                    (0, "At once"),
                    (15, "Together, every 15 minutes"),
                    (30, "Together, every 30 minutes"),
                    (60, "Together, every hour"),
                ],
                default=60,
                help_text="Status updates and other mail that does not press comes together, at most this often.",
                verbose_name="mail about cases",
            ),
        ),
    ]
