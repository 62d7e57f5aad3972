"""Doors for Celery: one call each, and as often as you like."""

from datetime import UTC, datetime

from celery import shared_task

from apps.telemetry.partitions import BusyError, Policy, maintain


@shared_task
def maintain_positions() -> bool:
    """Make the coming days' partitions, see to old ones; False where a processor is at it already."""
    try:
        maintain(Policy.of_settings(), datetime.now(UTC))
    except BusyError:
        return False
    return True
