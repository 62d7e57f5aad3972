"""Start times, crossings, timing records and repositionings over REST."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.rest import writing
from apps.rest.serializers import Body, Text
from apps.rest.views import AddOnlyResource, ReadOnlyResource, ResourceViewSet
from apps.timing.models import EntryCrossing, EntrySegmentStart, StartList, TimingRecord
from apps.timing.services import withdraw


class Reason(Body):
    reason = Text(max_length=2000)


class EntrySegmentStarts(ResourceViewSet):
    """What is set here is set by hand: a start list published again leaves it alone."""

    model = EntrySegmentStart
    order = ("segment", "start_position")
    expand = ("entry", "segment")

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


class TimingRecords(AddOnlyResource):
    """Evidence: recorded, never edited. Who records it is its author."""

    model = TimingRecord
    order = ("-ts",)
    expand = ("entry",)
    read_only = frozenset({"author"})

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


RESOURCES = {
    "entry_segment_starts": EntrySegmentStarts,
    "entry_crossings": EntryCrossings,
    "timing_records": TimingRecords,
    "start_lists": StartLists,
}
