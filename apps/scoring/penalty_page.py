"""One penalty explained on one page: who and what, the rule, the inputs, the evidence as a map, the decisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.accounts import policy
from apps.accounts.rights import AnyUser
from apps.common.said import told
from apps.course.domain.controls import Shape
from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.domain.explain import sentences, title
from apps.penalties.domain.formulas import Issued, clock
from apps.penalties.domain.stored import stored
from apps.penalties.domain.telling import Teller
from apps.penalties.models import AppliesTo, BracketMode, EntryPenalty
from apps.scoring.domain import tracks
from apps.scoring.domain.drawing import Drawing, Label, Sketch, draw
from apps.scoring.domain.tracks import TrackFix
from apps.scoring.passages import Passage, passages
from apps.scoring.penalty_evidence import Evidence, evidence

Line = tuple[str, str]
# Told elsewhere on the page, or of no meaning to people.
NOT_LISTED = frozenset({"arithmetic", "review", "case", "fixes", "mode", "decision"})
# The input that is the limit, by type.
LIMITS = {
    "speed_zone": "limit_kmh",
    "closed_control": "closes_ts",
    "time_control": "due_ts",
    "late_start": "assigned_ts",
    "neutralisation": "earliest_exit_ts",
    "maximum_time": "maximum_ms",
    "waypoint_ratio": "minimum_percent",
}


@dataclass(frozen=True, slots=True)
class ListedFix:
    """A fix in the list below the map: its number there and here; `over` in km/h beyond the limit."""

    number: int
    time: str
    speed: str
    over: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """The evidence in words and as a drawing: for those who may read the inputs."""

    sentences: Sequence[str]
    limit: str
    formula: Sequence[Line]
    inputs: Sequence[Line]
    arithmetic: str
    reviews: Sequence[str]
    drawing: Drawing | None
    listed: Sequence[ListedFix]
    void: int
    passages: Sequence[Passage]
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class PenaltyPage:
    """`explained` is None for a visitor who may know the penalty but not the evidence."""

    penalty: EntryPenalty
    title: str
    segment: str
    amount: str
    touches: Sequence[str]
    crew: Sequence[str]
    explained: Explained | None = field(default=None)


def penalty_page(penalty: EntryPenalty, user: AnyUser) -> PenaltyPage:
    """The page of a penalty that `user` may view."""
    readable = policy.fields(user, penalty)
    explained = _explained(penalty, user) if "inputs" in readable else None
    links = penalty.entry.crew_links.select_related("user").order_by("created_at")
    return PenaltyPage(
        penalty=penalty,
        title=_title(penalty),
        segment=_segment(penalty, explained),
        amount=clock(round(penalty.seconds * 1000)),
        touches=[str(AppliesTo(name).label) for name in penalty.applies_to],
        crew=[f"{link.user.first_name} {link.user.last_name}".strip() for link in links],
        explained=explained,
    )


def _title(penalty: EntryPenalty) -> str:
    known = penalty.type in EVALUATORS
    return told(title(penalty.type, penalty.inputs), _) if known else _("Penalty imposed by the officials")


def _segment(penalty: EntryPenalty, explained: Explained | None) -> str:
    """The name of the segment the penalty is about, by the input that names it or by its waypoint."""
    if explained is None:
        return ""
    around, inputs = explained.evidence.around, penalty.inputs
    waypoint = str(inputs.get("waypoint"))
    of = [segment for segment, ends in around.setting.segments.items() if waypoint in ends.between]
    return around.names.get(str(inputs.get("segment", of[0] if of else "")), "")


def _explained(penalty: EntryPenalty, user: AnyUser) -> Explained:
    found = evidence(penalty, user)
    teller = Teller(ZoneInfo(penalty.stage.event.time_zone), found.around.names)
    listed = [fix for fix in found.fixes if _is_listed(fix, found, penalty)]
    return Explained(
        sentences=[told(one, _) for one in sentences(_issued(penalty, found.status), teller.zone, teller.names)],
        limit=_limit(penalty, found, teller),
        formula=list(_formula(penalty.formula_snapshot, teller)),
        inputs=list(_inputs(penalty, found, teller)),
        arithmetic=told(stored(str(penalty.inputs.get("arithmetic", ""))), _),
        reviews=[told(stored(str(review)), _) for review in penalty.inputs.get("review", ())],
        drawing=_drawing(penalty, found, (teller, listed)),
        listed=[_listed(number, fix, penalty, teller) for number, fix in enumerate(listed, start=1)],
        void=sum(not fix.counts for fix in found.fixes),
        passages=list(passages(found, teller)),
        evidence=found,
    )


def _issued(penalty: EntryPenalty, status: str) -> Issued:
    inputs = {name: value for name, value in penalty.inputs.items() if name != "fixes"}
    return Issued(
        formula=str(penalty.formula_id or ""),
        type=penalty.type,
        target=penalty.key.partition(":")[2],
        ms=round(penalty.seconds * 1000),
        inputs=inputs,
        applies_to=frozenset(penalty.applies_to),
        article=penalty.article,
        fixes=tuple(penalty.inputs.get("fixes", ())),
        status=status,
    )


def _limit(penalty: EntryPenalty, found: Evidence, teller: Teller) -> str:
    name = LIMITS.get(penalty.type)
    if name in penalty.inputs:
        tolerance = penalty.inputs.get("tolerance_kmh")
        more = (
            _(", and %(speed)s tolerance") % {"speed": told(teller.value("tolerance_kmh", tolerance), _)}
            if tolerance
            else ""
        )
        return told(teller.value(name or "", penalty.inputs[name]), _) + more
    waypoint = found.around.controls.get(found.scene.nearest)
    return _("within %(radius)g m of the waypoint") % {"radius": waypoint.radius_m} if waypoint else ""


def _formula(snapshot: Mapping[str, Any], teller: Teller) -> Iterator[Line]:
    """The rule as it was when the penalty was computed."""
    if not snapshot:
        return
    evaluator = EVALUATORS.get(snapshot["type"])
    unit = evaluator.terms.unit if evaluator else ""
    ending = "…" if snapshot["offence_max"] is None else f"{snapshot['offence_max']:g}"
    yield _("Evaluator"), _(evaluator.title) if evaluator else snapshot["type"]
    if snapshot["target"]:
        yield _("For"), told(teller.value("target", snapshot["target"]), _)
    if unit:
        yield _("Bracket"), f"{snapshot['offence_min']:g} – {ending} {told(unit, _)}"
    yield _("Value"), clock(snapshot["penalty_ms"])
    if evaluator and len(evaluator.terms.modes) > 1:
        yield _("Mode"), str(BracketMode(snapshot["mode"]).label)
    for name, value in snapshot["params"].items():
        yield told(teller.label(name), _), told(teller.value(name, value), _)


def _inputs(penalty: EntryPenalty, found: Evidence, teller: Teller) -> Iterator[Line]:
    for name, value in penalty.inputs.items():
        if name not in NOT_LISTED and value not in ("", [], None):
            yield _label(name, teller), told(teller.value(name, value), _)
    fixes = penalty.inputs.get("fixes", ())
    if fixes:
        words = {"count": len(fixes), "first": teller.at(min(fixes)), "last": teller.at(max(fixes))}
        yield _("fixes over the limit"), _("%(count)d, %(first)s to %(last)s") % words
    if found.closest:
        words = {"metres": found.closest.metres, "time": teller.at(found.closest.ts)}
        yield _("closest approach"), _("%(metres).0f m at %(time)s") % words


def _label(name: str, teller: Teller) -> str:
    label = told(teller.label(name), _)
    # "peak" is a speed, and an instant.
    return _("%(what)s at") % {"what": label} if name.endswith("_ts") else label


def _is_listed(fix: TrackFix, found: Evidence, penalty: EntryPenalty) -> bool:
    """Of a speed penalty the fixes over the limit, of others all that count, of the tracker it rests on."""
    over = penalty.inputs.get("fixes", ())
    return fix.device == found.device and fix.counts and (not over or fix.ts in over)


def _listed(number: int, fix: TrackFix, penalty: EntryPenalty, teller: Teller) -> ListedFix:
    limit = penalty.inputs.get("limit_kmh")
    speed = "–" if fix.speed is None else f"{fix.speed:.10g}"
    over = "" if limit is None or fix.speed is None else f"{fix.speed - limit:+.10g}"
    return ListedFix(number, teller.at(fix.ts), speed, over)


def _drawing(penalty: EntryPenalty, found: Evidence, told: tuple[Teller, Sequence[TrackFix]]) -> Drawing | None:
    if not found.fixes:
        return None
    teller, listed = told
    middle = found.around.controls.get(found.scene.nearest)
    reach = ((found.closest.lat, found.closest.lon), middle.points[0]) if found.closest and middle else None
    sketch = Sketch(
        fixes=found.fixes,
        controls=found.controls(),
        over=frozenset(penalty.inputs.get("fixes", ())),
        device=found.device,
        labels=list(_labels(penalty, found, teller)),
        numbers={(fix.device, fix.ts): number for number, fix in enumerate(listed, start=1)},
        times=teller.at,
        reach=reach,
    )
    return draw(sketch)


def _labels(penalty: EntryPenalty, found: Evidence, teller: Teller) -> Iterator[Label]:
    own = [fix for fix in found.fixes if fix.device == found.device]
    for word, ts in found.scene.marks:
        place = tracks.at(own, ts)
        if place is not None:
            yield Label(_mark(word, ts, penalty, teller), word, place)
    if found.closest:
        words = {"metres": found.closest.metres, "time": teller.at(found.closest.ts - found.closest.ts % 1000)}
        place = found.closest.lat, found.closest.lon
        yield Label(_("%(metres).0f m, %(time)s") % words, "closest", place)
    for control in found.controls():
        if control.shape is Shape.CIRCLE:
            yield Label(found.around.names.get(control.id, ""), "control", control.points[0])


def _mark(word: str, ts: int, penalty: EntryPenalty, teller: Teller) -> str:
    time = teller.at(ts - ts % 1000)
    if word == "peak":
        return f"{penalty.inputs['peak_kmh']:.10g} km/h, {time}"
    words = {
        "zone_begins": _("zone begins"),
        "zone_ends": _("zone ends"),
        "passed": _("passed"),
        "started": _("started"),
        "entered": _("entered"),
        "left": _("left"),
        "gap_begins": _("record ends"),
        "gap_ends": _("record goes on"),
    }
    return f"{words[word]} {time}"
