"""Prometheus names of contracts §5."""

from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

CONNECTIONS = Gauge("live_connections", "Open sockets")
SUBSCRIPTIONS = Gauge("live_subscriptions", "Topics followed, summed over sockets")
LAG = Histogram("live_broadcast_lag_seconds", "From the start of the scoring transaction to the fan-out")
COALESCED = Counter("live_coalesced_total", "Times a slow socket was given a snapshot instead of its queue")


class Messages(Collector):
    """live_messages_total: plain numbers, as a Counter's lock would be a tenth of what a message costs."""

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("live_messages", "Frames", labels=["direction"])
        family.add_metric(["in"], self.received)
        family.add_metric(["out"], self.sent)
        yield family


MESSAGES = Messages()
REGISTRY.register(MESSAGES)
