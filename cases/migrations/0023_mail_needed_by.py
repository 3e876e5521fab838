"""What keeps a promise is sent first (T3)."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("cases", "0022_callers_turned_away")]

    operations = [
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                fields=["needed_by", "id"], condition=Q(status="queued", needed_by__isnull=False), name="mail_needed_by"
            ),
        ),
    ]
