"""The scorer's counters (contracts §5)."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("scorer_requests", "Requests worked off", ["reason"])
WINDOWS = Counter("scorer_windows", "Windows of fixes looked at")
DEAD_LETTERS = Counter("scorer_dead_letters", "Requests put aside")
SECONDS = Histogram("scorer_duration_seconds", "One batch of requests, from reading to commit")
LAG = Gauge("scorer_lag", "Requests unread or not yet acknowledged")
CLAIMED = Counter("scorer_claimed", "Requests taken over from a scorer that stood still")
STALE_RESULTS = Counter("scorer_stale_results", "Results found to differ from their evidence: alarm on any")
BROKEN_COURSES = Counter("scorer_broken_courses", "Batches of an event not scored: its course cannot be read")
