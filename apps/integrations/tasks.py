"""Doors for Celery: one call each, and as often as you like."""

from celery import shared_task
from django.conf import settings

from apps.integrations import queries

AT_ONCE = 5000


@shared_task
def prune_domain_events() -> int:
    """Forget domain events told longer ago than DOMAIN_EVENTS_RETENTION_DAYS, also while no relay runs; how many."""
    days = settings.DOMAIN_EVENTS_RETENTION_DAYS
    gone = last = queries.prune(days, AT_ONCE) if days else 0
    while last == AT_ONCE:
        last = queries.prune(days, AT_ONCE)
        gone += last
    return gone
