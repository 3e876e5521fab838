from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def logged_when_they_were(apps, schema_editor):
    """What was logged before was logged when it was."""
    apps.get_model("cases", "Interaction").objects.filter(logged_at=None).update(logged_at=F("at"))


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0017_search'),
        ('contacts', '0003_bundled_mail'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='interaction',
            name='logged_at',
            field=models.DateTimeField(editable=False, null=True, help_text='When it was written down: never before it was (C3).'),
        ),
        migrations.AddField(
            model_name='interaction',
            name='copied_to',
            field=models.JSONField(blank=True, default=list, help_text='To whom else of the help desk it was sent: their key and name (C3).'),
        ),
        migrations.AddField(
            model_name='interaction',
            name='with_customer',
            field=models.BooleanField(default=True, help_text="Whether it was with the case's contact or somebody else of their help desk, as it was then; a word with anybody else of the company is no word with the customer."),
        ),
        migrations.AlterField(
            model_name='interaction',
            name='at',
            field=models.DateTimeField(help_text='When it was.'),
        ),
        migrations.RunPython(logged_when_they_were, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='interaction',
            name='logged_at',
            field=models.DateTimeField(editable=False, help_text='When it was written down: never before it was (C3).'),
        ),
        migrations.AddConstraint(
            model_name='interaction',
            constraint=models.CheckConstraint(condition=models.Q(('at__lte', models.F('logged_at'))), name='a_contact_was_before_it_is_logged'),
        ),
    ]
