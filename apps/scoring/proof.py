"""Each publication is proved: another process computes it anew from its snapshot and the positions, within seconds."""

from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

TASK = "apps.scoring.tasks.prove"
WORTH_IT_S = 3600  # what has waited so long for a worker is left to `manage.py verify_revision`


def ask_for(revision: UUID) -> None:
    """Have a worker prove it, in the queue of the officials' acts, as it is part of one. No publication fails by it."""
    try:
        current_app.send_task(TASK, [str(revision)], retry=False, ignore_result=True, expires=WORTH_IT_S)
    except OperationalError as error:
        log.warning("a publication is not proved", revision=str(revision), error=str(error))
