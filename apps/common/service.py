"""What every long-running command does around its worker: metrics, health, the loop, an end in order."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError

from apps.common import health, metrics
from apps.common.loop import Loop, Worker


def run(worker: Worker) -> None:
    """Run a worker until SIGTERM or SIGINT, with its probes. Raises CommandError when METRICS_PORT is taken."""
    with probed() as pulse:
        Loop(worker, pulse.beat).run()


@contextmanager
def probed() -> Iterator[metrics.Pulse]:
    """Answer /metrics, /healthz and /readyz on METRICS_PORT; the loop inside beats the pulse.

    Raises CommandError when the port is taken.
    """
    pulse = metrics.Pulse()
    try:
        server = metrics.serve(settings.METRICS_PORT, alive=pulse.is_beating, not_ready=health.not_ready)
    except metrics.MetricsPortError as error:
        raise CommandError(str(error)) from error
    try:
        yield pulse
    finally:
        if server:
            server.close()
