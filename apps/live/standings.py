"""A board as people read it: order, ranks in the chosen class, gaps to its leader, times as text.

`static/live/standings.mjs` does the same in the browser; a test compares the two line by line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from apps.scoring.models import ResultStatus
from apps.scoring.queries import BoardLine

# Ranked crews come first of all; then those who still drive, those to come, and the rest.
GROUPS = {ResultStatus.RUNNING.value: 1, ResultStatus.REGISTERED.value: 2}
LAST_GROUP = 3
HOUR_MS = 3_600_000
UNDER_WAY = (ResultStatus.RUNNING.value, ResultStatus.FINISHED.value)


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of the page. Times as `clock` gives them, empty where there is none.

    `inside`: a stage, where `expected` is the rank the crew would have.
    """

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
    inside: bool = False
    expected: str = ""


def standings(lines: Sequence[BoardLine], class_code: str = "") -> list[Standing]:
    """The lines of one class (all classes when empty), in order."""
    tenths = any((line[key] or 0) % 1000 for line in lines for key in ("timeMs", "totalMs", "penaltyMs"))
    rank = "classRank" if class_code else "rank"
    chosen = [line for line in lines if class_code in ("", line["classCode"])]
    chosen.sort(key=lambda line: _place(line, rank))
    gaps = _gaps([line for line in chosen if line[rank] and line["totalMs"] is not None], tenths)
    return [_standing(line, rank, gaps.get(line["entryId"], ""), tenths) for line in chosen]


def with_expected(shown: Sequence[Standing], lines: Sequence[BoardLine], class_code: str = "") -> list[Standing]:
    """The same with the expected ranks of `lines` (`live.expectations`) for those under way."""
    inside = {line["entryId"]: _expected(line, class_code) for line in lines}
    return [
        replace(one, inside=True, expected=inside[one.entry_id] if one.status == ResultStatus.RUNNING else "")
        if one.entry_id in inside
        else one
        for one in shown
    ]


def _expected(line: BoardLine, class_code: str) -> str:
    if line["rank"] is None:
        return ""
    rank = line["classRank"] if class_code else line["rank"]
    return _("≈{rank}. at {control}").format(rank=rank, control=line["control"])


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


def _standing(line: BoardLine, rank: str, gap: str, tenths: bool) -> Standing:
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
        penalty=_plus(line["penaltyMs"] or 0, tenths),
        total=clock(line["totalMs"], tenths=tenths),
        gap=gap,
    )


def _gaps(ranked: Sequence[BoardLine], tenths: bool) -> dict[str, str]:
    """Entry id → gap to the leader of what is shown; a crew with fewer stages driven has none in time.

    Nor has one ranked behind with more stages or less time, as an incomplete crew is where complete ones come first
    (rulebook 6.2).
    """
    return {line["entryId"]: _gap(line, ranked[0], tenths) for line in ranked}


def _gap(line: BoardLine, leader: BoardLine, tenths: bool) -> str:
    if line["completedStages"] < leader["completedStages"]:
        return _behind(line["status"])
    if line["completedStages"] > leader["completedStages"] or line["totalMs"] < leader["totalMs"]:
        return ""
    return _plus(line["totalMs"] - leader["totalMs"], tenths)


def _behind(status: str) -> str:
    # Of a crew that retired the status says it.
    return _("fewer stages") if status in UNDER_WAY else ""


def _plus(ms: int, tenths: bool) -> str:
    """`+m:ss`, from an hour on `+h:mm:ss`."""
    if not ms:
        return ""
    text = clock(ms, tenths=tenths)
    return f"+{text if ms >= HOUR_MS else text.removeprefix('0:').removeprefix('0')}"
