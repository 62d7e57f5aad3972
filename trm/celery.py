"""Celery: bulk work spread over workers; one queue for what officials wait for, one for what may take its time."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm.settings")

app = Celery("trm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logs(**_said: object) -> None:
    """Celery sets up logs of its own where nobody answers this: its lines come as everybody's, JSON with a level."""
