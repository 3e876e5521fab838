"""A Celery worker for tests that end it: a task that is not done is free again in a second.

Arguments: the prefix of the queue's keys in Redis, the name of its session in PostgreSQL, how many children it works
with (0: by itself), the port of its mail server (0: none).
"""

from __future__ import annotations

import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from config.celery import app  # noqa: E402

if __name__ == "__main__":
    prefix, name, children, mail_port = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    connection.settings_dict["OPTIONS"] |= {"application_name": name}
    if mail_port:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_IS_KEPT = "127.0.0.1", mail_port, False
    app.conf.broker_transport_options = {"global_keyprefix": prefix, "visibility_timeout": 1}
    app.conf.broker_connection_retry_on_startup = True
    pool = ["--pool", "prefork", "--concurrency", str(children)] if children else ["--pool", "solo"]
    app.worker_main(["worker", *pool, "--without-mingle", "--without-gossip", "--loglevel", "WARNING"])
