"""The processor's counters (contracts §5)."""

from prometheus_client import Counter, Gauge, Histogram

READS = Counter("processor_consumer_reads", "Reads of the stream", ["result"])
RECORDS = Counter("processor_consumer_records", "Records read from the stream")
LAG = Gauge("processor_consumer_lag", "Records unread or not yet acknowledged")
DECODE_ERRORS = Counter("processor_decode_errors", "Records that are no position")
DEAD_LETTERS = Counter("processor_dead_letters", "Records put aside")
WRITES = Counter("processor_position_writes", "Positions by what became of them", ["status"])
WRITE_SECONDS = Histogram("processor_position_write_duration_seconds", "One batch into PostgreSQL")
ACKS = Counter("processor_acks", "Records acknowledged")
CLAIMED = Counter("processor_claimed", "Records taken over from a consumer that stood still")
DEVICE_STATE_SIZE = Gauge("processor_device_state_size", "Devices remembered")
DEVICE_STATE_EVICTIONS = Counter("processor_device_state_evictions", "Devices forgotten to make room")
