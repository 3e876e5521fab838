"""The Celery app and the beat table.

Beat only triggers sweeps (S1): every deadline is a column in the database, and a sweep asks what is due. Nothing waits
in the broker with an ETA or a countdown, so a tick that is late, doubled or lost changes nothing.
"""

import os

from celery import Celery
from celery.signals import worker_shutting_down

from cases.engine.stopping import ask_to_stop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("desk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A worker that is asked to stop gives back the mail it has claimed (M2).
worker_shutting_down.connect(ask_to_stop)

app.conf.beat_schedule = {
    # Every minute: carry out the escalation points that have come due.
    "escalate": {"task": "escalations.tasks.escalate", "schedule": 60.0, "options": {"expires": 55}},
    # Every minute: send the status updates that are due, and record which SLA targets were met.
    "promises": {"task": "escalations.tasks.keep_promises", "schedule": 60.0, "options": {"expires": 55}},
    # Every minute: write the daily digests of account managers and customer engineers whose morning has come.
    "daily-digest": {"task": "escalations.tasks.daily_digest", "schedule": 60.0, "options": {"expires": 55}},
    # Every minute: follow up waiting customers, and close the cases of those who stayed silent.
    "follow-up": {"task": "cases.tasks.follow_up", "schedule": 60.0, "options": {"expires": 55}},
    # Every ten seconds: send the mail that waits in the outbox.
    "deliver": {"task": "cases.tasks.deliver", "schedule": 10.0, "options": {"expires": 9}},
    # Every ten seconds: fetch the mail that has come in.
    "receive": {"task": "cases.tasks.receive", "schedule": 10.0, "options": {"expires": 9}},
    # Every ten seconds: carry out what people decided about mail in triage and did not undo.
    "triage": {"task": "cases.tasks.decide_triage", "schedule": 10.0, "options": {"expires": 9}},
    # Every five seconds: offer the calls that wait to technicians who are free, and time out what nobody took.
    "queue": {"task": "cases.tasks.queue", "schedule": 5.0, "options": {"expires": 4}},
    # Every minute: write the hand-over sheets of the days that end, and hand them over.
    "hand-over": {"task": "escalations.tasks.hand_over", "schedule": 60.0, "options": {"expires": 55}},
    # Every minute: ping HEARTBEAT_URL, if there is one, while nothing is overdue.
    "heartbeat": {"task": "cases.tasks.heartbeat", "schedule": 60.0, "options": {"expires": 55}},
    # Every minute: index the words of cases that wait for it, after an upgrade or when a company is renamed.
    "index-words": {"task": "cases.tasks.index_words", "schedule": 60.0, "options": {"expires": 55}},
    # Every minute: put the entries of the tally of loads together, when there are many.
    "count-loads": {"task": "cases.tasks.count_loads", "schedule": 60.0, "options": {"expires": 55}},
    # Every minute: mail the reports that somebody wants every Monday morning.
    "reports": {"task": "escalations.tasks.mail_reports", "schedule": 60.0, "options": {"expires": 55}},
    # Every hour: delete sessions that have ended.
    "tidy": {"task": "cases.tasks.tidy", "schedule": 3600.0, "options": {"expires": 3500}},
}
