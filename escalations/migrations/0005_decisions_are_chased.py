"""An open decision of the schedule has a time limit as a request has (E1, E9); those that are open get one from now."""

from datetime import timedelta

from django.db import migrations
from django.utils import timezone

WITHIN = {"critical": timedelta(minutes=30), "high": timedelta(minutes=30)}


def limit_open_decisions(apps, schema_editor):
    EscalationRequest, Case = apps.get_model("escalations", "EscalationRequest"), apps.get_model("cases", "Case")
    now = timezone.now()
    rows = EscalationRequest.objects.filter(status="requested", origin="schedule", decide_by=None)
    for row in rows.select_related("case"):
        row.decide_by = now + WITHIN.get(row.case.severity, timedelta(hours=4))
        row.save(update_fields=["decide_by"])
        Case.objects.filter(pk=row.case_id).update(sla_check_at=now)


class Migration(migrations.Migration):
    dependencies = [("escalations", "0004_trade_words"), ("cases", "0012_role_contacts")]

    operations = [migrations.RunPython(limit_open_decisions, migrations.RunPython.noop)]
