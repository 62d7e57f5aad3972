"""Counters of the dispatcher (contracts §5)."""

from prometheus_client import Counter

SENT = Counter("commands_sent", "Commands handed to an ingestion instance")
STATES = Counter("commands_states", "Commands that came to a state", ["state"])
