"""What a new database begins with: all steps up to 0006 in one step, in seconds instead of a quarter minute.

A database that an older desk made goes on by the single steps, which stay until none of them is in use any more.
"""

import contacts.addresses
import contacts.models
import datetime
import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ("contacts", "0001_initial"),
        ("contacts", "0002_mailable_addresses_and_failed_sign_ins"),
        ("contacts", "0003_bundled_mail"),
        ("contacts", "0004_phone_numbers"),
        ("contacts", "0005_the_support_page_lets_in"),
        ("contacts", "0006_daily_digest"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name='SupportCentre',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(help_text='Two-letter code (ISO 3166), e.g. US, DE, JP.', max_length=2)),
                ('subdivision', models.CharField(blank=True, help_text='State or region whose public holidays count, e.g. BY.', max_length=8)),
                ('time_zone', models.CharField(max_length=64, validators=[contacts.models.validate_time_zone])),
                ('name', models.CharField(max_length=80, unique=True)),
                ('open_on_holidays', models.BooleanField(default=False, help_text='Whether the centre works its opening hours on public holidays as well.')),
            ],
            options={
                'verbose_name': 'support centre',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='SupportLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
                ('country', models.CharField(blank=True, help_text='Empty: for callers from everywhere else.', max_length=2)),
                ('number', models.CharField(max_length=40)),
                ('language', models.CharField(blank=True, choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], help_text='In which language callers are greeted and served.', max_length=2)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, validators=[contacts.addresses.validate_mailable], verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('role', models.CharField(blank=True, choices=[('technician', 'Technician'), ('account_manager', 'Account manager'), ('customer_engineer', 'Customer engineer'), ('support_manager', 'Support manager'), ('csm', 'Customer service manager'), ('cs_director', 'Customer service director'), ('coo', 'Chief operating officer')], db_index=True, max_length=20)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('time_zone', models.CharField(default='UTC', max_length=64, validators=[contacts.models.validate_time_zone])),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('bundle_minutes', models.PositiveSmallIntegerField(choices=[(0, 'At once'), (15, 'Together, every 15 minutes'), (30, 'Together, every 30 minutes'), (60, 'Together, every hour')], default=60, help_text='Status updates and other mail that does not press comes together, at most this often.', verbose_name='mail about cases')),
                ('daily_digest', models.BooleanField(default=True, help_text='For whoever looks after companies: one mail in the morning about all of them (W4).', verbose_name='daily digest')),
            ],
            options={
                'verbose_name': 'staff member',
                'verbose_name_plural': 'staff',
                'ordering': ['first_name', 'last_name', 'username'],
                'abstract': False,
            },
            managers=[
                ('objects', contacts.models.StaffManager()),
            ],
        ),
        migrations.CreateModel(
            name='Company',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(help_text='Two-letter code (ISO 3166), e.g. US, DE, JP.', max_length=2)),
                ('subdivision', models.CharField(blank=True, help_text='State or region whose public holidays count, e.g. BY.', max_length=8)),
                ('time_zone', models.CharField(max_length=64, validators=[contacts.models.validate_time_zone])),
                ('name', models.CharField(max_length=120, unique=True)),
                ('language', models.CharField(choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], default='en', max_length=2)),
                ('active', models.BooleanField(default=True)),
                ('account_manager', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='managed_companies', to=settings.AUTH_USER_MODEL)),
                ('customer_engineer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='engineered_companies', to=settings.AUTH_USER_MODEL)),
                ('phone', models.CharField(blank=True, help_text='A call from this number is known to come from the company.', max_length=40, verbose_name='switchboard')),
                ('phone_e164', models.CharField(blank=True, editable=False, max_length=16)),
            ],
            options={
                'verbose_name_plural': 'companies',
                'ordering': ['name'],
                'indexes': [models.Index(condition=models.Q(('phone_e164', ''), _negated=True), fields=['phone_e164'], name='company_by_phone')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalCompany',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('country', models.CharField(help_text='Two-letter code (ISO 3166), e.g. US, DE, JP.', max_length=2)),
                ('subdivision', models.CharField(blank=True, help_text='State or region whose public holidays count, e.g. BY.', max_length=8)),
                ('time_zone', models.CharField(max_length=64, validators=[contacts.models.validate_time_zone])),
                ('name', models.CharField(db_index=True, max_length=120)),
                ('language', models.CharField(choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], default='en', max_length=2)),
                ('active', models.BooleanField(default=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('account_manager', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer_engineer', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('phone', models.CharField(blank=True, help_text='A call from this number is known to come from the company.', max_length=40, verbose_name='switchboard')),
            ],
            options={
                'verbose_name': 'historical company',
                'verbose_name_plural': 'historical companies',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalContact',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('email', models.EmailField(blank=True, max_length=254, validators=[contacts.addresses.validate_mailable])),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('is_help_desk', models.BooleanField(default=False, verbose_name='corporate help desk')),
                ('preferred_means', models.CharField(choices=[('phone', 'Phone'), ('email', 'Email'), ('chat', 'Chat')], default='email', max_length=5, verbose_name='preferred means of contact')),
                ('language', models.CharField(blank=True, choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], help_text="Empty: the company's language.", max_length=2)),
                ('active', models.BooleanField(default=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('company', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contacts.company')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical contact',
                'verbose_name_plural': 'historical contacts',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalSupportCentre',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('country', models.CharField(help_text='Two-letter code (ISO 3166), e.g. US, DE, JP.', max_length=2)),
                ('subdivision', models.CharField(blank=True, help_text='State or region whose public holidays count, e.g. BY.', max_length=8)),
                ('time_zone', models.CharField(max_length=64, validators=[contacts.models.validate_time_zone])),
                ('name', models.CharField(db_index=True, max_length=80)),
                ('open_on_holidays', models.BooleanField(default=False, help_text='Whether the centre works its opening hours on public holidays as well.')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical support centre',
                'verbose_name_plural': 'historical support centres',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalSupportLine',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(db_index=True, max_length=80)),
                ('country', models.CharField(blank=True, help_text='Empty: for callers from everywhere else.', max_length=2)),
                ('number', models.CharField(max_length=40)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('language', models.CharField(blank=True, choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], help_text='In which language callers are greeted and served.', max_length=2)),
            ],
            options={
                'verbose_name': 'historical support line',
                'verbose_name_plural': 'historical support lines',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalTechnician',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('level', models.CharField(choices=[('L2', 'L2'), ('L3', 'L3')], default='L2', max_length=2)),
                ('languages', models.JSONField(default=list, validators=[contacts.models.validate_languages])),
                ('on_duty', models.BooleanField(default=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('centre', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contacts.supportcentre')),
                ('extension', models.CharField(blank=True, help_text='Under which number or name the telephone system knows them (Q1).', max_length=40)),
            ],
            options={
                'verbose_name': 'historical technician',
                'verbose_name_plural': 'historical technicians',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalRoleHolder',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('role', models.CharField(choices=[('support_manager', 'Support manager'), ('csm', 'Customer service manager'), ('cs_director', 'Customer service director'), ('coo', 'Chief operating officer')], max_length=20)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('holder', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('centre', models.ForeignKey(blank=True, db_constraint=False, help_text='Empty: for every centre that has no holder of its own.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contacts.supportcentre')),
            ],
            options={
                'verbose_name': 'historical management role',
                'verbose_name_plural': 'historical management roles',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Technician',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('L2', 'L2'), ('L3', 'L3')], default='L2', max_length=2)),
                ('languages', models.JSONField(default=list, validators=[contacts.models.validate_languages])),
                ('on_duty', models.BooleanField(default=True)),
                ('last_case_at', models.DateTimeField(blank=True, editable=False, help_text="When a new case last came to them (C6's tie-break).", null=True)),
                ('centre', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='technicians', to='contacts.supportcentre')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='technician', to=settings.AUTH_USER_MODEL)),
                ('extension', models.CharField(blank=True, help_text='Under which number or name the telephone system knows them (Q1).', max_length=40)),
            ],
            options={
                'ordering': ['user__first_name', 'user__last_name'],
            },
        ),
        migrations.CreateModel(
            name='CompanyClosureDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('name', models.CharField(blank=True, max_length=80)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='closure_days', to='contacts.company')),
            ],
            options={
                'verbose_name': 'closure day',
                'ordering': ['day'],
                'constraints': [models.UniqueConstraint(fields=('company', 'day'), name='one_closure_per_company_day')],
            },
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('email', models.EmailField(blank=True, max_length=254, validators=[contacts.addresses.validate_mailable])),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('is_help_desk', models.BooleanField(default=False, verbose_name='corporate help desk')),
                ('preferred_means', models.CharField(choices=[('phone', 'Phone'), ('email', 'Email'), ('chat', 'Chat')], default='email', max_length=5, verbose_name='preferred means of contact')),
                ('language', models.CharField(blank=True, choices=[('en', 'English'), ('ja', 'Japanese'), ('fr', 'French'), ('de', 'German'), ('es', 'Spanish'), ('it', 'Italian'), ('pt', 'Portuguese'), ('nl', 'Dutch'), ('hi', 'Hindi')], help_text="Empty: the company's language.", max_length=2)),
                ('active', models.BooleanField(default=True)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contacts', to='contacts.company')),
                ('phone_e164', models.CharField(blank=True, editable=False, max_length=16)),
            ],
            options={
                'ordering': ['name'],
                'indexes': [models.Index(fields=['email'], name='contact_by_email'), models.Index(condition=models.Q(('phone_e164', ''), _negated=True), fields=['phone_e164'], name='contact_by_phone'), models.Index(django.db.models.functions.text.Upper('email'), name='contact_by_address')],
            },
        ),
        migrations.CreateModel(
            name='RoleHolder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('support_manager', 'Support manager'), ('csm', 'Customer service manager'), ('cs_director', 'Customer service director'), ('coo', 'Chief operating officer')], max_length=20)),
                ('holder', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='held_roles', to=settings.AUTH_USER_MODEL)),
                ('centre', models.ForeignKey(blank=True, help_text='Empty: for every centre that has no holder of its own.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='role_holders', to='contacts.supportcentre')),
            ],
            options={
                'verbose_name': 'management role',
                'ordering': ['role', 'centre__name'],
                'constraints': [models.UniqueConstraint(fields=('role', 'centre'), name='one_holder_per_role_and_centre'), models.UniqueConstraint(condition=models.Q(('centre', None)), fields=('role',), name='one_general_holder_per_role')],
            },
        ),
        migrations.CreateModel(
            name='OpeningSpan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')])),
                ('opens', models.TimeField(default=datetime.time(9, 0))),
                ('closes', models.TimeField(default=datetime.time(17, 0), help_text='Not later than the opening: the span ends the next day.')),
                ('centre', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='spans', to='contacts.supportcentre')),
            ],
            options={
                'verbose_name': 'opening hours',
                'verbose_name_plural': 'opening hours',
                'ordering': ['centre', 'weekday', 'opens'],
                'constraints': [models.UniqueConstraint(fields=('centre', 'weekday', 'opens'), name='one_span_per_opening')],
            },
        ),
        migrations.CreateModel(
            name='ClosureDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('name', models.CharField(blank=True, max_length=80)),
                ('centre', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='closure_days', to='contacts.supportcentre')),
            ],
            options={
                'ordering': ['day'],
                'constraints': [models.UniqueConstraint(fields=('centre', 'day'), name='one_closure_per_centre_day')],
            },
        ),
        migrations.CreateModel(
            name='FailedSignIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(blank=True, help_text='Where it came from.', max_length=45)),
                ('at', models.DateTimeField()),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='failed_sign_ins', to=settings.AUTH_USER_MODEL)),
                ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='failed_sign_ins', to='contacts.contact')),
                ('on_support_page', models.BooleanField(default=False, verbose_name='on the support page')),
            ],
            options={
                'verbose_name': 'failed sign-in',
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['-at', '-id'], name='failed_sign_in_by_time')],
            },
        ),
        migrations.CreateModel(
            name='Passkey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.EmailField(help_text="The contact's address when it was added; it is of no use at another one.", max_length=254)),
                ('name', models.CharField(max_length=80)),
                ('credential_id', models.CharField(help_text='base64url', max_length=1400, unique=True)),
                ('credential', models.TextField(help_text='Id and public key, as CTAP writes them, in base64url.')),
                ('uses', models.PositiveBigIntegerField(default=0, help_text='What the device counted; one that goes back is a copy.')),
                ('added_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='passkeys', to='contacts.contact')),
            ],
            options={
                'ordering': ['added_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='SignInCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(help_text="Of the code, and of what only the browser's session knows.", max_length=64)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('asked_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_codes', to='contacts.contact')),
            ],
            options={
                'verbose_name': 'sign-in code',
                'indexes': [models.Index(fields=['asked_at'], name='sign_in_code_by_time')],
            },
        ),
    ]
