"""Prometheus names of contracts §5."""

from prometheus_client import Counter, Gauge, Histogram

CONNECTIONS = Gauge("live_connections", "Open sockets")
SUBSCRIPTIONS = Gauge("live_subscriptions", "Topics followed, summed over sockets")
MESSAGES = Counter("live_messages_total", "Frames", ["direction"])
RECEIVED = MESSAGES.labels("in")
SENT = MESSAGES.labels("out")
LAG = Histogram("live_broadcast_lag_seconds", "From the start of the scoring transaction to the fan-out")
COALESCED = Counter("live_coalesced_total", "Times a slow socket was given a snapshot instead of its queue")
