"""Celery: bulk work spread over workers; one queue for what officials wait for, one for what may take its time."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm.settings")

app = Celery("trm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
