"""How the desk is put together on a machine: settings, addresses, Celery, the start of everything.

Nothing imports from here; the apps read `django.conf.settings`.
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
