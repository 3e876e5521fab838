from datetime import timedelta

from django.db import migrations

HOURS = {"critical": 2, "high": 4, "medium": 8, "low": 24}


def as_published(apps, schema_editor):
    """The versions that are there already get the intervals of T2."""
    rules = apps.get_model("escalations", "ClockRule").objects
    for severity, hours in HOURS.items():
        rules.filter(severity=severity).update(base_interval=timedelta(hours=hours))


class Migration(migrations.Migration):

    dependencies = [("escalations", "0002_promises"), ("cases", "0004_promises_from_now_on")]

    operations = [migrations.RunPython(as_published, migrations.RunPython.noop)]
