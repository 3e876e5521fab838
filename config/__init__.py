"""The project: settings, URLs, Celery, and the commands that run everything on one machine.

The apps import nothing from here; they read `django.conf.settings`.
"""

import gc

# A start makes a quarter million objects that stay. The collector looked through them again and again, a quarter of the
# time until a process is ready; it goes on in `ConfigConfig.ready`.
gc.disable()

from config.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
