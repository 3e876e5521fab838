"""The project: settings, URLs, Celery, and the commands that run everything on one machine.

The apps import nothing from here; they read `django.conf.settings`.
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
