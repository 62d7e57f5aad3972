"""Takes the safety desk's rows of an event away, with the event (`apps.scoring.removal`)."""

from apps.events.models import Event
from apps.safety.models import Accounting, Alert, AlertLine, StageClosing


def remove(event: Event) -> None:
    """Alerts with their logs, what was said of missing crews, closings. Settings go with the event."""
    AlertLine.objects.filter(alert__event=event).delete()
    Alert.objects.filter(event=event).delete()
    Accounting.objects.filter(stage__event=event).delete()
    StageClosing.objects.filter(stage__event=event).delete()
