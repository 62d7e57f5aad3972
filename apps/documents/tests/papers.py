"""An event with a field as large as one likes, and everything that documents are made of."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.catalog.models import Vehicle
from apps.course.factories import SegmentFactory, StageFactory
from apps.course.models import Segment, Stage
from apps.events.factories import EventFactory, RaceClassFactory
from apps.events.models import Entry, EntryCrew, EntryStatus, Event
from apps.penalties.models import Decision
from apps.scoring.models import ResultRevision, StageResult
from apps.scoring.printed import printed
from apps.timing.models import EntrySegmentStart, StartList

BEGIN = datetime(2026, 6, 8, 5, tzinfo=UTC)
CREWS = (
    ("Gëzim", "Çela", "AL"), ("Arta", "Hoxha", "AL"), ("Jean-Baptiste", "Deschamps-Vandenbroucke", "BE"),
    ("Πέτρος", "Παπαδόπουλος", "GR"), ("Šime", "Đurđević", "HR"), ("María José", "Núñez de la Torre y Castañeda", "ES"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Built:
    event: Event
    stage: Stage
    entries: list[Entry]
    official: User
    revision: ResultRevision
    start_list: StartList
    decision: Decision


def build(count: int, state: str = "provisional", **event: Any) -> Built:
    """`count` crews of two; every tenth did not finish, every seventh has a penalty."""
    made = EventFactory(name="Rally Albania 2026", organization__name="Motorsport Club Albania", **event)
    stage = StageFactory(event=made, name="Stage 2: Shkodër – Theth", starts_at=BEGIN, sort_order=2)
    segment = SegmentFactory(stage=stage, name="SS 2 Koplik – Bogë")
    entries = _field(made, count)
    official = UserFactory(first_name="Besnik", last_name="Gjoka")
    EntrySegmentStart.objects.bulk_create(
        EntrySegmentStart(entry=e, segment=segment, start_position=n + 1, target_at=BEGIN + timedelta(minutes=n))
        for n, e in enumerate(entries)
    )
    _stage_results(stage, segment, entries)
    decision = Decision.objects.create(
        event=made, number=1, kind="edit_penalty", entry=entries[0], stage=stage, author=official,
        params={"key": "speed_zone:zone", "ms": 120_000}, article="12.4 c", document="Doc 4.1",
        reason="The crew was held up by a tractor in the zone.\nThe marshal of PC 3 confirms it.",
    )  # fmt: skip
    return Built(
        made, stage, entries, official,
        _revision(made, stage, entries, (official, state)), _start_list(stage, entries, official), decision,
    )  # fmt: skip


def _field(event: Event, count: int) -> list[Entry]:
    classes = [RaceClassFactory(event=event, code=code, name=name, sort_order=n) for n, (code, name) in enumerate(
        [("M-1", "Moto under 450 cc"), ("C-2", "Cars"), ("SSV-1", "Side by side, production")]
    )]  # fmt: skip
    vehicles = Vehicle.objects.bulk_create(
        Vehicle(make="Toyota", model="Land Cruiser 70 Series Double Cab" if n % 5 == 0 else "Hilux")
        for n in range(count)
    )
    entries = Entry.objects.bulk_create(
        Entry(
            event=event, race_class=classes[n % 3], race_number=301 + n, vehicle=vehicles[n],
            status=EntryStatus.ACCEPTED, team=("Ekipi Shqiponja Off-Road Tiranë", "Team Adria", "")[n % 3],
        )
        for n in range(count)
    )  # fmt: skip
    people = User.objects.bulk_create(
        User(email=f"{event.slug}-{n}-{seat}@example.org", first_name=first, last_name=last, nationality=nation)
        for n in range(count)
        for seat in range(2)
        for first, last, nation in [CREWS[(n + seat) % len(CREWS)]]
    )
    EntryCrew.objects.bulk_create(
        EntryCrew(entry=entries[n // 2], user=person, role=("pilot", "co-pilot")[n % 2])
        for n, person in enumerate(people)
    )
    return entries


def _stage_results(stage: Stage, segment: Segment, entries: list[Entry]) -> None:
    begin = round(BEGIN.timestamp() * 1000)
    StageResult.objects.bulk_create(
        StageResult(
            entry=e, stage=stage, status="finished", time_ms=5_400_000, total_ms=5_400_000, inputs_hash="0" * 64,
            outcome={"segments": [{
                "segment": str(segment.pk), "start_ts": begin + n * 60_000, "driven_ts": begin + n * 60_000,
                "finish_ts": begin + n * 60_000 + 5_400_123, "net_ms": 5_400_100,
            }]},
        )
        for n, e in enumerate(entries)
    )  # fmt: skip


def lines(entries: list[Entry]) -> list[dict[str, Any]]:
    ranked = [_line(n, e) for n, e in enumerate(entries) if n % 10 != 9]
    out = [_line(n, e) for n, e in enumerate(entries) if n % 10 == 9]
    return ranked + out


def _line(n: int, e: Entry) -> dict[str, Any]:
    dnf, penalty = n % 10 == 9, 120_000 if n % 7 == 0 else 0
    total = None if dnf else 5_400_000 + n * 61_300 + penalty
    return {
        "entry": str(e.pk), "number": e.race_number, "class": str(e.race_class_id), "team": e.team,
        "status": "dnf" if dnf else "finished", "total_ms": total, "penalty_ms": 0 if dnf else penalty,
        "splits": [] if dnf else [5_400_000], "completed": 0 if dnf else 1, "rank": None if dnf else n + 1,
        "class_rank": None if dnf else n // 3 + 1, "gap_ms": None if dnf else n * 61_300, "hashes": {},
        "complete": not dnf, "lumped": False, "group": "",
    }  # fmt: skip


def _revision(event: Event, stage: Stage, entries: list[Entry], by: tuple[User, str]) -> ResultRevision:
    official, state = by
    penalties = [
        {
            "entry": str(e.pk), "stage": str(stage.pk), "type": "speed_zone", "target": "zone", "ms": 120_000,
            "inputs": {"peak_kmh": 63, "limit_kmh": 50, "excess_kmh": 13, "zone": "zone", "peak_ts": 1780895000000},
            "article": "12.4 c", "status": "", "waived": n == 7, "decision": "d1" if n == 7 else "",
            "applies_to": ["overall", "stage"],
        }
        for n, e in enumerate(entries)
        if n % 7 == 0
    ]  # fmt: skip
    snapshot = {
        "plan": {"stages": [{"id": str(stage.pk)}], "names": {"zone": "Fshati Bogë"}, "tie_rule": "last_ss_backwards"},
        "inputs": {"decisions": [{"id": "d1", "number": 12}]},
        "results": lines(entries),
        "penalties": penalties,
        "printed": printed(str(event.pk), str(stage.pk)),
    }
    return ResultRevision.objects.create(
        event=event, stage=stage, number=3, state=state, published_by=official, snapshot=snapshot,
        protest_until=BEGIN + timedelta(hours=9), hash="9f86d081" * 8,
    )  # fmt: skip


def _start_list(stage: Stage, entries: list[Entry], author: User) -> StartList:
    begin = round(BEGIN.timestamp() * 1000)
    rows = [
        {
            "position": n + 1, "entry": str(e.pk), "number": e.race_number, "crew": "Gëzim Çela / Arta Hoxha",
            "race_class": e.race_class.code, "block": "", "slot": n + 1, "slot_ms": begin + n * 60_000,
            "start_ms": begin + n * 60_000, "reason": "Repositioned: held up on Stage 1" if n == 4 else "",
        }
        for n, e in enumerate(entries)
    ]  # fmt: skip
    return StartList.objects.create(
        stage=stage, version=2, state="published", rows=rows, author=author, published_at=BEGIN, hash="ab" * 32,
        reason="301 and 302 changed places",
    )  # fmt: skip
