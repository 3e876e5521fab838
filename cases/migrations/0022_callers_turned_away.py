"""One name for a list everywhere. Words only: the database stays as it is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cases", "0021_attachments")]

    operations = [
        migrations.AlterModelOptions(
            name="refusal",
            options={
                "ordering": ["-at"],
                "verbose_name": "caller turned away",
                "verbose_name_plural": "callers turned away",
            },
        )
    ]
