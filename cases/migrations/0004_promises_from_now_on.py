from django.db import migrations
from django.utils import timezone


def from_now_on(apps, schema_editor):
    """Cases that are here already are promised updates from now on, not from an opening long ago."""
    now = timezone.now()
    cases = apps.get_model("cases", "Case").objects
    cases.update(promises_since=now)
    cases.exclude(status="resolved").update(promise_at=now)


class Migration(migrations.Migration):

    dependencies = [("cases", "0003_promises")]

    operations = [migrations.RunPython(from_now_on, migrations.RunPython.noop)]
