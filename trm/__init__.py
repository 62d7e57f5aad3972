"""The project. Celery's app is imported here, so that a task called anywhere in it goes to the right broker."""

from trm.celery import app as celery_app

__all__ = ["celery_app"]
