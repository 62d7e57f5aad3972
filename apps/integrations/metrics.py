"""The relay's counters (contracts §5)."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("relay_events", "Domain events handed out")
ATTEMPTS = Counter("relay_attempts", "Attempts to deliver to a webhook", ["outcome"])
SECONDS = Histogram("relay_attempt_duration_seconds", "One attempt, from connecting to the answer")
WAITING_EVENTS = Gauge("relay_waiting_events", "Domain events not handed out yet")
WAITING_DELIVERIES = Gauge("relay_waiting_deliveries", "Deliveries not made yet")
OLDEST = Gauge("relay_oldest_delivery_seconds", "Age of the oldest event a webhook waits for")
