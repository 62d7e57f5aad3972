"""Doors for Celery: one call each, and as often as you like."""

from celery import shared_task

from apps.rest import idempotency


@shared_task
def forget_idempotency_keys() -> int:
    """Delete the keys that no request will ask for again; how many."""
    return idempotency.forget_old()
