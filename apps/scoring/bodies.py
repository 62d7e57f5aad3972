"""The bodies of the acts of scoring, and what they answer, for the serializer and the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from apps.course.models import Segment, Stage, WaypointType
from apps.events.models import Entry, Event
from apps.racelog.api import LONGEST_MS, Happened
from apps.rest.serializers import (
    LONGEST,
    Body,
    Choice,
    Instant,
    Json,
    Number,
    Reason,
    Reference,
    Text,
    Truth,
    Whole,
    serializer_for,
)
from apps.scoring.closing import CONTROLS
from apps.scoring.models import RevisionState
from apps.scoring.revisions import PROTEST_MINUTES
from apps.timing.domain.closing import SLOWEST_KMH
from apps.timing.models import StartList

MOST_MS = 253_402_300_799_999  # the year 9999


class Seed(Reason):
    reset_by_hand = Truth(default=False, help_text="Let go of starts that were set by hand.")


class ClosingTerms(Body):
    slowest_kmh = Number(min_value=1, max_value=200, default=SLOWEST_KMH)
    margin_seconds = Whole(min_value=0, max_value=86_400, default=0)
    types = serializers.ListField(
        child=Choice(choices=WaypointType.choices), default=list(CONTROLS), min_length=1, max_length=15
    )
    dry_run = Truth(default=False, help_text="Compute, write nothing.")


class Faulty(Reason):
    device = Text(max_length=20, help_text="IMEI.")
    from_ts = Whole(min_value=0, max_value=MOST_MS, help_text="Epoch ms, inclusive.")
    to_ts = Whole(min_value=0, max_value=MOST_MS, help_text="Epoch ms, inclusive.")


class Rescore(Body):
    entry = Reference(queryset=Entry.objects.all(), required=False, help_text="Only this entry.")
    stage = Reference(queryset=Stage.objects.all(), required=False, help_text="Only this stage.")


class Changes(Body):
    example = {"change": {"revoke": [{"number": 12, "reason": "The video shows it"}]}}
    change = Json(help_text="What `manage.py dry_run` takes: set, decide, revoke, each a list.")


class Publish(Body):
    event = Reference(queryset=Event.objects.all())
    stage = Reference(queryset=Stage.objects.all(), required=False, allow_null=True, help_text="None = the event.")
    state = Choice(choices=RevisionState.choices)
    reason = Text(max_length=LONGEST, default="", allow_blank=True)
    protest_minutes = Whole(min_value=0, max_value=10_080, default=PROTEST_MINUTES)


class Restarted(Happened):
    reason = Text(max_length=LONGEST, default="", allow_blank=True)
    first_start = Instant(
        required=False, default=None, allow_null=True,
        help_text="When the first of those who wait starts; left out, the start list stays as it is.",
    )  # fmt: skip


class Released(Restarted):
    reason = Text(max_length=LONGEST, help_text="Why the starts go on.")


class Awarded(Body):
    entry = Reference(queryset=Entry.objects.all())
    time_ms = Whole(min_value=1, max_value=LONGEST_MS)
    article = Text(max_length=50, default="", allow_blank=True, help_text="Empty = officials choose.")


class NotionalTimes(Reason):
    segment = Reference(queryset=Segment.objects.all(), help_text="The special that was stopped.")
    awards = serializers.ListField(child=Awarded(), min_length=1, max_length=500)


class LastWord(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["go", "no-go"])
    line = serializers.UUIDField(help_text="The line of the log.")


class PostShown(serializers.Serializer[Any]):
    about = serializers.CharField(help_text="A service, or the id of a control.")
    name = serializers.CharField()
    needed = serializers.BooleanField(help_text="Whether the stage wants its go before it opens.")
    said = LastWord(allow_null=True, help_text="Its last word.")


class Waiting(serializers.Serializer[Any]):
    entry = serializers.UUIDField()
    number = serializers.IntegerField()
    start_ms = serializers.IntegerField()


class UnderControl(serializers.Serializer[Any]):
    """What holds of a stage by the race-control log. Instants are epoch ms."""

    hold = serializers.UUIDField(allow_null=True, help_text="The line that holds the starts.")
    red = serializers.UUIDField(allow_null=True, help_text="The red signal in force.")
    since_ms = serializers.IntegerField(allow_null=True, help_text="Since when nobody may start.")
    posts = PostShown(many=True)
    missing = serializers.CharField(help_text="Who is not ready, as a sentence; empty = all are.")
    refuses = serializers.BooleanField(help_text="Whether the stage is not opened before all are ready.")
    waiting = Waiting(many=True, help_text="Who was to start since then, and has not.")
    protests = serializers.ListField(child=serializers.UUIDField(), help_text="Lines that nobody has heard yet.")


class Accepted(serializers.Serializer[Any]):
    accepted = serializers.BooleanField()


class StartRowShown(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    entry = serializers.UUIDField()
    number = serializers.IntegerField()
    crew = serializers.CharField()
    race_class = serializers.CharField()
    block = serializers.CharField()
    slot = serializers.IntegerField()
    slot_ms = serializers.IntegerField()
    start_ms = serializers.IntegerField()
    reason = serializers.CharField()


class Proposal(serializers.Serializer[Any]):
    results = StartRowShown(many=True)


class MoveShown(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    old_ms = serializers.IntegerField(allow_null=True)
    new_ms = serializers.IntegerField(allow_null=True)


class Seeded(serializers.Serializer[Any]):
    list = serializer_for(StartList)()
    moves = MoveShown(many=True)


class ClosingShown(serializers.Serializer[Any]):
    waypoint = serializers.UUIDField()
    metres = serializers.FloatField()
    closes_at = serializers.DateTimeField()


class Closings(serializers.Serializer[Any]):
    results = ClosingShown(many=True)


class LineDifference(serializers.Serializer[Any]):
    race_number = serializers.IntegerField()
    stage = serializers.CharField(help_text="Empty = overall.")
    old = serializers.JSONField()
    new = serializers.JSONField()


class Differences(serializers.Serializer[Any]):
    results = LineDifference(many=True)


class LineChanged(serializers.Serializer[Any]):
    race_number = serializers.IntegerField()
    changes = serializers.JSONField()


class WouldChange(serializers.Serializer[Any]):
    results = LineChanged(many=True)


class Verified(serializers.Serializer[Any]):
    problems = serializers.ListField(child=serializers.CharField())


class OpenSettingShown(serializers.Serializer[Any]):
    key = serializers.CharField()
    number = serializers.IntegerField()
    sentence = serializers.CharField()
    blocking = serializers.BooleanField()


class OpenSettings(serializers.Serializer[Any]):
    results = OpenSettingShown(many=True)


class BoardLineShown(serializers.Serializer[Any]):
    """Instants and durations in ms; gaps are the client's to compute."""

    entryId = serializers.UUIDField()
    raceNumber = serializers.IntegerField()
    crew = serializers.CharField()
    vehicle = serializers.CharField()
    classCode = serializers.CharField()
    status = serializers.CharField()
    timeMs = serializers.IntegerField(allow_null=True)
    penaltyMs = serializers.IntegerField()
    totalMs = serializers.IntegerField(allow_null=True)
    rank = serializers.IntegerField(allow_null=True)
    classRank = serializers.IntegerField(allow_null=True)
    lastControl = serializers.CharField()
    completedStages = serializers.IntegerField(required=False, help_text="Of the event's board.")


class Leaderboard(serializers.Serializer[Any]):
    seq = serializers.IntegerField(help_text="The number of the live channel's last change in it.")
    results = BoardLineShown(many=True)
