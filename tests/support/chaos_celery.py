"""A Celery worker for `test_engine_under_chaos`: one process, and a task that is not done is free again in a second.

Arguments: the prefix of the queue's keys in Redis, the name of its session in PostgreSQL.
"""

from __future__ import annotations

import sys

import django

django.setup()

from django.db import connection  # noqa: E402

from config.celery import app  # noqa: E402

if __name__ == "__main__":
    connection.settings_dict["OPTIONS"] |= {"application_name": sys.argv[2]}
    app.conf.broker_transport_options = {"global_keyprefix": sys.argv[1], "visibility_timeout": 1}
    app.worker_main(["worker", "--pool", "solo", "--without-mingle", "--without-gossip", "--loglevel", "WARNING"])
