"""Open cases get their next deadline from the moments at which the sweeps check them; the next check makes it exact."""

from datetime import UTC, datetime

from django.db import migrations
from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Coalesce, Least

NEVER = datetime(9000, 1, 1, tzinfo=UTC)


def set_next_due(apps, schema_editor):
    cases = apps.get_model("cases", "Case").objects.exclude(status="resolved")
    # SQLite answers NULL where PostgreSQL leaves NULL out, so that there is something to compare everywhere
    moments = (
        Coalesce(F(f"{check}_check_at"), Value(NEVER, output_field=DateTimeField()))
        for check in ("escalation", "follow_up", "sla")
    )
    cases.update(sla_due_at=F("sla_check_at"), next_due_at=Least(*moments))
    cases.filter(next_due_at=NEVER).update(next_due_at=None)


class Migration(migrations.Migration):
    dependencies = [("cases", "0019_next_due")]
    operations = [migrations.RunPython(set_next_due, migrations.RunPython.noop)]
