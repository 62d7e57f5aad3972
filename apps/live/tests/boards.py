"""Small rallies with results, and news of them the way the scorer writes it."""

from dataclasses import dataclass

from django.db import connection, transaction
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.common.stream import OUTBOX_CHANNEL
from apps.course.factories import StageFactory
from apps.course.models import Stage
from apps.events.factories import EntryCrewFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, Event
from apps.scoring import queries
from apps.scoring.factories import EventResultFactory, StageResultFactory
from apps.scoring.models import EventResult

MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Board:
    event: Event
    stages: tuple[Stage, ...]
    entries: tuple[Entry, ...]

    @property
    def topic(self) -> str:
        return f"leaderboard:{self.event.id}"

    @property
    def stage_topic(self) -> str:
        return f"{self.topic}:{self.stages[0].id}"


def build(entries: int = 3, *, public: bool = True) -> Board:
    """Crews 301 and on, classes C-1 and C-2 in turn, ten minutes and one more for each; the last one runs."""
    event = EventFactory.create(is_public=public, name="Rally Albania 2026", slug="rally-albania-2026")
    stages = (StageFactory.create(event=event, name="Prologue"), StageFactory.create(event=event, name="Stage 1"))
    classes = [RaceClassFactory.create(event=event, code=code) for code in ("C-1", "C-2")]
    crews = [EntryFactory.create(event=event, race_class=classes[n % 2], race_number=301 + n) for n in range(entries)]
    for n, crew in enumerate(crews):
        EntryCrewFactory.create(entry=crew, user=UserFactory.create(first_name="Arta", last_name=f"Hoxha {n}"))
        if n % 4 == 0:
            EntryCrewFactory.create(entry=crew, user=UserFactory.create(first_name="Besnik", last_name="Leka"))
        result(crew, stages[0], n, running=n == entries - 1)
    return Board(event, stages, tuple(crews))


def result(entry: Entry, stage: Stage, n: int, *, running: bool) -> None:
    time_ms = (10 + n) * MINUTE + 300
    values = {"status": "running", "last_control": "WP 4"} if running else {
        "status": "finished", "time_ms": time_ms, "penalty_ms": n * MINUTE, "total_ms": time_ms + n * MINUTE,
        "rank": n + 1, "class_rank": n // 2 + 1, "last_control": "ASS",
    }  # fmt: skip
    StageResultFactory.create(entry=entry, stage=stage, **values)
    if EventResult.objects.filter(entry=entry).exists():
        return
    EventResultFactory.create(entry=entry, **{key: value for key, value in values.items() if key != "last_control"})


def overtake(board: Board, redis: Redis | None) -> int:
    """The last crew finishes and takes the lead overall. Returns the number of the change.

    Without Redis the wake is lost, as it may be.
    """
    with transaction.atomic():
        for place, row in enumerate(EventResult.objects.filter(event=board.event).exclude(rank=None), start=2):
            EventResult.objects.filter(id=row.id).update(rank=place, class_rank=place)
        EventResult.objects.filter(entry=board.entries[-1]).update(
            status="finished", time_ms=9 * MINUTE, total_ms=9 * MINUTE, rank=1, class_rank=1
        )
    return tell(board, redis)


def tell(board: Board, redis: Redis | None) -> int:
    """Write the whole overall board as a change."""
    return tell_of(board, redis, queries.board_lines(str(board.event.id), None, [str(e.id) for e in board.entries]))


def tell_of(board: Board, redis: Redis | None, lines: list[queries.BoardLine]) -> int:
    """Write these lines of the overall board as a change."""
    return _write(board.topic, redis, lines)


def tell_stage(board: Board, redis: Redis | None) -> int:
    """Write the whole board of the first stage as a change."""
    entries = [str(entry.id) for entry in board.entries]
    lines = queries.board_lines(str(board.event.id), str(board.stages[0].id), entries)
    return _write(board.stage_topic, redis, lines)


def _write(topic: str, redis: Redis | None, lines: list[queries.BoardLine]) -> int:
    queries.write_outbox(topic, lines)
    if redis:
        redis.publish(OUTBOX_CHANNEL, topic)
    with connection.cursor() as cursor:
        cursor.execute("select max(seq) from outbox where topic = %s", [topic])
        return int(cursor.fetchone()[0])
