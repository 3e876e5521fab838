"""Waits under way when the three contacts came: those that were followed up by notices go on as they began."""

from django.db import migrations, models
from django.utils import timezone


def go_on_as_begun(apps, schema_editor):
    case, notice = apps.get_model("cases", "Case"), apps.get_model("cases", "Notice")
    waiting = case.objects.filter(status="customer_update_required", wait_plan="three_contacts")
    noticed = notice.objects.filter(case=models.OuterRef("pk"), episode=models.OuterRef("wait_episode"))
    waiting.filter(models.Exists(noticed)).update(wait_plan="pending")
    # the others look anew: their next step is another one now
    waiting.update(follow_up_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_waiting_for_the_customer")]
    operations = [migrations.RunPython(go_on_as_begun, migrations.RunPython.noop)]
