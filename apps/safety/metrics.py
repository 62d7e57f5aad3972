"""The watch's counters (contracts §5)."""

from prometheus_client import Counter, Histogram

RAISED = Counter("safety_alerts_raised", "Alerts raised", ["kind"])
LOOK_SECONDS = Histogram("safety_look_duration_seconds", "One look at every crew of every event that is on")
