"""Doors for Celery: one call each, and as often as you like."""

import structlog
from celery import shared_task
from django.core.management import call_command

from apps.accounts import mirror

log = structlog.get_logger(__name__)


@shared_task
def sync_roles() -> int:
    """Bring the mirror of roles in step; how much differed, which is 0 unless somebody wrote past it."""
    lines = mirror.repair()
    if lines:
        log.warning("roles were out of step", differences=lines)
    return len(lines)


@shared_task
def forget_sessions() -> None:
    """Delete the sessions that have expired."""
    call_command("clearsessions")
