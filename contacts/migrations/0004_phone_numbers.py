"""Callers are found by their number (Q1): companies and contacts get theirs as it is dialled from anywhere."""

from django.db import migrations, models

from contacts.phone_numbers import in_e164


def fill_in_numbers(apps, schema_editor):
    """Nothing to do for companies: until now they had no number."""
    contacts = apps.get_model("contacts", "Contact").objects.exclude(phone="").select_related("company")
    for contact in contacts.only("phone", "company__country").iterator():
        contact.phone_e164 = in_e164(contact.phone, contact.company.country)
        if contact.phone_e164:
            contact.save(update_fields=["phone_e164"])


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0003_bundled_mail'),
    ]

    operations = [
        migrations.AddField(
            model_name='company',
            name='phone',
            field=models.CharField(blank=True, help_text='A call from this number is known to come from the company.', max_length=40, verbose_name='switchboard'),
        ),
        migrations.AddField(
            model_name='company',
            name='phone_e164',
            field=models.CharField(blank=True, editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name='contact',
            name='phone_e164',
            field=models.CharField(blank=True, editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name='historicalcompany',
            name='phone',
            field=models.CharField(blank=True, help_text='A call from this number is known to come from the company.', max_length=40, verbose_name='switchboard'),
        ),
        migrations.AddField(
            model_name='historicalsupportline',
            name='language',
            field=models.CharField(blank=True, choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], help_text='In which language callers are greeted and served.', max_length=2),
        ),
        migrations.AddField(
            model_name='historicaltechnician',
            name='extension',
            field=models.CharField(blank=True, help_text='Under which number or name the telephone system knows them (Q1).', max_length=40),
        ),
        migrations.AddField(
            model_name='supportline',
            name='language',
            field=models.CharField(blank=True, choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], help_text='In which language callers are greeted and served.', max_length=2),
        ),
        migrations.AddField(
            model_name='technician',
            name='extension',
            field=models.CharField(blank=True, help_text='Under which number or name the telephone system knows them (Q1).', max_length=40),
        ),
        migrations.AddIndex(
            model_name='company',
            index=models.Index(condition=models.Q(('phone_e164', ''), _negated=True), fields=['phone_e164'], name='company_by_phone'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('phone_e164', ''), _negated=True), fields=['phone_e164'], name='contact_by_phone'),
        ),
        migrations.RunPython(fill_in_numbers, migrations.RunPython.noop),
    ]
