"""A board as people read it: order, ranks in the chosen class, gaps to its leader, times as text.

`static/live/standings.mjs` does the same in the browser; a test compares the two line by line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.scoring.models import ResultStatus
from apps.scoring.queries import BoardLine

# Ranked crews come first of all; then those who still drive, those to come, and the rest.
GROUPS = {ResultStatus.RUNNING.value: 1, ResultStatus.REGISTERED.value: 2}
LAST_GROUP = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of the page. Times as `clock` gives them, empty where there is none."""

    entry_id: str
    rank: str
    race_number: int
    crew: str
    vehicle: str
    class_code: str
    status: str
    status_label: str
    control: str
    time: str
    penalty: str
    total: str
    gap: str


def standings(lines: Sequence[BoardLine], class_code: str = "") -> list[Standing]:
    """The lines of one class (all classes when empty), in order."""
    tenths = any((line[key] or 0) % 1000 for line in lines for key in ("timeMs", "totalMs", "penaltyMs"))
    rank = "classRank" if class_code else "rank"
    chosen = [line for line in lines if class_code in ("", line["classCode"])]
    chosen.sort(key=lambda line: _place(line, rank))
    leader = chosen[0]["totalMs"] if chosen and chosen[0][rank] else None
    return [_standing(line, rank, leader, tenths) for line in chosen]


def clock(ms: int | None, *, tenths: bool) -> str:
    """`h:mm:ss`, with tenths where the board has any; cut, not rounded: the rules round once, before this."""
    if ms is None:
        return ""
    minutes, seconds = divmod(ms // 1000, 60)
    text = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return f"{text}.{ms % 1000 // 100}" if tenths else text


def _place(line: BoardLine, rank: str) -> tuple[int, int, int]:
    group = 0 if line[rank] else GROUPS.get(line["status"], LAST_GROUP)
    return group, line[rank] or 0, line["raceNumber"]


def _standing(line: BoardLine, rank: str, leader: int | None, tenths: bool) -> Standing:
    return Standing(
        entry_id=line["entryId"],
        rank=str(line[rank] or ""),
        race_number=line["raceNumber"],
        crew=line["crew"],
        vehicle=line["vehicle"],
        class_code=line["classCode"],
        status=line["status"],
        status_label=str(ResultStatus(line["status"]).label),
        control=line["lastControl"] if line["status"] == ResultStatus.RUNNING else "",
        time=clock(line["timeMs"], tenths=tenths),
        penalty=_plus(line["penaltyMs"], tenths),
        total=clock(line["totalMs"], tenths=tenths),
        gap=_plus(_gap(line, rank, leader), tenths),
    )


def _gap(line: BoardLine, rank: str, leader: int | None) -> int:
    """To the leader of what is shown; 0 where there is none, as for a crew ranked behind by stages, not time."""
    total: Any = line["totalMs"]
    return max(0, total - leader) if line[rank] and leader is not None and total is not None else 0


def _plus(ms: int, tenths: bool) -> str:
    return f"+{clock(ms, tenths=tenths)}" if ms else ""
