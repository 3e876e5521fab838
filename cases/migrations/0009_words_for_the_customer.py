"""Which logged words the customer may read (C3): of what is logged already, what the desk mailed to them."""

from django.db import migrations, models
from django.db.models import Exists, OuterRef

SENT_TO_CUSTOMER = ("question", "message", "status_by_person")


def mark_what_was_sent(apps, schema_editor):
    Interaction, Mail = apps.get_model("cases", "Interaction"), apps.get_model("cases", "Mail")
    mailed = Mail.objects.filter(case=OuterRef("case"), queued_at=OuterRef("at"), template__in=SENT_TO_CUSTOMER)
    Interaction.objects.filter(Exists(mailed), channel="email", direction="out").update(for_customer=True)


class Migration(migrations.Migration):
    dependencies = [("cases", "0008_trade_words")]

    operations = [
        migrations.AddField(
            model_name="interaction",
            name="for_customer",
            field=models.BooleanField(
                default=False,
                help_text="Whether the customer may read these words: they were sent to them, or marked for them (C3).",
            ),
        ),
        migrations.RunPython(mark_what_was_sent, migrations.RunPython.noop),
    ]
