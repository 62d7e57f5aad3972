"""Start times, crossings, timing records and repositionings over REST."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.rest import writing
from apps.rest.examples import IDS
from apps.rest.serializers import Reason
from apps.rest.views import AddOnlyResource, ReadOnlyResource, ResourceViewSet
from apps.timing.models import EntryCrossing, EntrySegmentStart, StartList, TimingRecord
from apps.timing.services import withdraw

ENTRY, CONTROL = IDS["entry"], IDS["control"]
START_ROW = {
    "position": 1, "entry": ENTRY, "number": 301, "crew": "A. Hoxha / B. Leka", "race_class": "C-2", "block": "1",
    "slot": 0, "slot_ms": 1_780_812_000_000, "start_ms": 1_780_812_000_000, "reason": "",
}  # fmt: skip


class EntrySegmentStarts(ResourceViewSet):
    """What is set here is set by hand: a start list published again leaves it alone."""

    model = EntrySegmentStart
    order = ("segment", "start_position")
    expand = ("entry", "segment")
    example_change = {"target_at": "2026-06-07T06:04:00Z"}

    def make(self, values: dict[str, Any]) -> EntrySegmentStart:
        row: EntrySegmentStart = super().make({"manual_override": True, **values})
        return row

    def change(self, row: EntrySegmentStart, values: dict[str, Any]) -> None:
        super().change(row, {"manual_override": True, **values} if values else values)


class EntryCrossings(ReadOnlyResource):
    """Readings of the scorer, newest first; instants are epoch milliseconds."""

    model = EntryCrossing
    order = ("-ts",)
    expand = ("entry",)
    example_answer = {"before_ts": 1_780_811_999_000, "after_ts": 1_780_812_002_000, "fraction": 0.33}


class TimingRecords(AddOnlyResource):
    """Evidence: recorded, never edited. Who records it is its author."""

    model = TimingRecord
    order = ("-ts",)
    expand = ("entry",)
    read_only = frozenset({"author"})
    example = {"entry": ENTRY, "control": CONTROL, "source": "marshal", "ts": "2026-06-07T06:04:12.3Z"}
    example_answer = {"source": "marshal", "ts": "2026-06-07T06:04:12.3Z", "reason": ""}

    def make(self, values: dict[str, Any]) -> TimingRecord:
        row = TimingRecord(author=writing.person(self.user), **values)
        policy.require(self.user, "record_time", row)
        writing.save_new(self.user, row)
        return row

    @extend_schema(request=Reason)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> HttpResponse:
        """Take the time back: it stays as evidence, and counts no more."""
        row = self.row(pk)
        policy.require(self.user, "record_time", row)
        return self.shown(withdraw(row, writing.person(self.user), self.given(Reason)["reason"]))


class StartLists(ReadOnlyResource):
    """Versions as they were given out. A stage's acts `open` and `seed` make them."""

    model = StartList
    order = ("stage", "-version")
    expand = ("stage",)
    example_answer = {"state": "published", "published_at": "2026-06-06T18:00:00Z", "rows": [START_ROW]}


RESOURCES = {
    "entry_segment_starts": EntrySegmentStarts,
    "entry_crossings": EntryCrossings,
    "timing_records": TimingRecords,
    "start_lists": StartLists,
}
