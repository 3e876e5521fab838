"""Calls and chats that wait for a technician (section 10), and when the call of a case came in (Q4)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0027_mail_doors'),
        ('contacts', '0004_phone_numbers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='case',
            name='called_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='called'),
        ),
        migrations.AddField(
            model_name='historicalcase',
            name='called_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='called'),
        ),
        migrations.CreateModel(
            name='CallEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(help_text='Which telephone system, by the name in its address.', max_length=40)),
                ('call_id', models.CharField(max_length=128)),
                ('kind', models.CharField(choices=[('arrived', 'Arrived'), ('answered', 'Answered'), ('ended', 'Ended'), ('callback', 'Asked to be called back')], max_length=8)),
                ('leg', models.CharField(blank=True, help_text='Which of several telephones that ring at once.', max_length=64)),
                ('at', models.DateTimeField(help_text='When it was received.')),
                ('number', models.CharField(blank=True, max_length=40, verbose_name='caller')),
                ('dialled', models.CharField(blank=True, max_length=40)),
                ('cause', models.CharField(blank=True, max_length=40)),
            ],
            options={
                'ordering': ['at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('provider', 'call_id', 'kind', 'leg'), name='an_event_is_kept_once')],
            },
        ),
        migrations.CreateModel(
            name='QueueEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('call', 'Call'), ('chat', 'Chat')], default='call', max_length=4)),
                ('provider', models.CharField(blank=True, help_text='Empty: entered by hand.', max_length=40)),
                ('call_id', models.CharField(blank=True, max_length=128)),
                ('number', models.CharField(blank=True, help_text='As it is dialled from anywhere, where it is known.', max_length=40)),
                ('caller', models.CharField(blank=True, help_text='As somebody wrote it down.', max_length=200, verbose_name='name')),
                ('language', models.CharField(choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], default='en', max_length=2)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('offered', 'Offered'), ('talking', 'Talking'), ('ended', 'Ended')], default='waiting', max_length=7)),
                ('ending', models.CharField(blank=True, choices=[('spoken', 'Spoken with'), ('abandoned', 'Hung up before anybody answered'), ('called_again', 'Called again before we called back'), ('unreached', 'Not reached when we called back'), ('lost', 'Lost: the telephone system said no more'), ('withdrawn', 'Nothing to call back for')], max_length=12)),
                ('arrived_at', models.DateTimeField()),
                ('in_line_since', models.DateTimeField(help_text='What the place in the queue comes from; a callback keeps it.')),
                ('heard_at', models.DateTimeField(help_text='When the last word came of it; a call of which none comes is lost.')),
                ('offered_at', models.DateTimeField(blank=True, null=True)),
                ('why_offered', models.CharField(blank=True, max_length=200)),
                ('passed', models.JSONField(blank=True, default=dict, help_text='How often each technician let it pass, by their key.')),
                ('taken_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('ready_at', models.DateTimeField(blank=True, help_text='When the technician said that they were done.', null=True)),
                ('is_callback', models.BooleanField(default=False)),
                ('due_at', models.DateTimeField(blank=True, help_text='When they are called back at the latest (T1).', null=True)),
                ('not_before', models.DateTimeField(blank=True, null=True)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('manager_told_at', models.DateTimeField(blank=True, null=True)),
                ('case', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='queue_entries', to='cases.case')),
                ('company', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='queue_entries', to='contacts.company')),
                ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='queue_entries', to='contacts.contact')),
                ('interaction', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='queue_entry', to='cases.interaction')),
                ('line', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.supportline')),
                ('technician', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='queue_entries', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'call',
                'verbose_name_plural': 'calls',
                'ordering': ['-arrived_at', '-pk'],
                'indexes': [models.Index(condition=models.Q(('state', 'ended'), _negated=True), fields=['in_line_since', 'id'], name='queue_entry_not_ended'), models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['technician', '-ended_at'], name='queue_entry_spoken'), models.Index(condition=models.Q(('state', 'ended')), fields=['-ended_at'], name='queue_entry_ended'), models.Index(fields=['company', '-arrived_at'], name='queue_entry_by_company')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('call_id', ''), _negated=True), fields=('provider', 'call_id'), name='a_call_is_in_the_queue_once'), models.UniqueConstraint(condition=models.Q(('state__in', ['offered', 'talking'])), fields=('technician',), name='one_offer_or_talk_per_technician'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'offered'), _negated=True), models.Q(('offered_at__isnull', False), ('technician__isnull', False)), _connector='OR'), name='an_offer_says_to_whom'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state', 'ended')), models.Q(models.Q(('state', 'ended'), _negated=True), ('ending', '')), _connector='OR'), name='what_ended_says_when'), models.CheckConstraint(condition=models.Q(('is_callback', False), ('due_at__isnull', False), _connector='OR'), name='a_callback_has_a_promise')],
            },
        ),
    ]
