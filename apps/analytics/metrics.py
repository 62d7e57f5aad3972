"""The analytics exporter's counters (contracts §5)."""

from prometheus_client import Counter, Gauge

RECORDS = Counter("analytics_records", "Records written")
SKIPPED = Counter("analytics_skipped", "Records that are no position: the processor puts them aside")
BATCHES = Counter("analytics_batches", "Batches written")
RECOVERED = Counter("analytics_recovered", "Batches finished after a crash")
LOST = Counter("analytics_lost", "Records the stream no longer has: alarm on any")
LAG = Gauge("analytics_lag", "Records unread or not yet acknowledged")
