"""The shape of a rule file, and what a rule in it must satisfy.

A value carries the grade of its evidence (rulebook §0.1) and the source it was taken from. `penalty: null` is a rule
that exists but whose value is not settled: nothing can be published while an event has one.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from apps.common import foreign
from apps.common.said import Said, about, listed, phrased
from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.domain.formulas import Formula, clock
from apps.penalties.domain.registry import problems
from apps.penalties.profiles.questions import QUESTIONS

Grade = Literal["", "A", "B", "C", "D"]
AppliesTo = Literal["stage", "overall", "start_order"]
Source = Literal["gps", "marshal", "timekeeper", "beam", "card"]
WaypointType = Literal["WPV", "WPE", "WPM", "WPS", "WPC", "WPN", "WPP", "PC", "TC", "DZ", "FZ", "DN", "FN"]
Text = Annotated[str, Meta(max_length=200)]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]*\Z", max_length=80)]
Metres = Annotated[float, Meta(gt=0, le=100_000)]
T = TypeVar("T")

FILE = Said("file")  # where something is wrong with all of it
CLOCK = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)(?:\.(\d{1,3}))?")


class RulesError(ValueError):
    """Rules that cannot be taken: every reason, each with its place."""

    def __init__(self, reasons: Sequence[Said]) -> None:
        self.reasons = list(reasons)
        super().__init__(listed(reasons, "\n"))


class Given(Struct, Generic[T], forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """A setting of the event with its evidence; no grade = the event's own."""

    value: T
    grade: Grade = ""
    source: Text = ""


class EventSettings(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """Settings of the event itself; one that is not given is left as the event has it."""

    tie_rule: Given[Literal["last_ss_backwards", "first_ss_forwards", "number", "shared"]] | None = None
    complete_first: Given[bool] | None = None
    allow_back: Given[bool] | None = None
    price_unproved: Given[bool] | None = None
    rounding_ms: Given[Literal[100, 1000]] | None = None
    gap_limit_seconds: Given[Annotated[int, Meta(ge=1, le=32_767)]] | None = None
    discrepancy_ms: Given[Annotated[int, Meta(ge=0, le=2_147_483_647)]] | None = None
    source_priority: Given[list[Source]] | None = None
    team_size: Given[Annotated[int, Meta(ge=1, le=32_767)]] | None = None


class Radii(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """Radii of a waypoint type in metres (§2.1): no `open_m` = never guided, or always; no `clear_m` = not known."""

    open_m: Metres | None = None
    clear_m: Metres | None = None
    grade: Grade = ""
    source: Text = ""


class Question(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """What the rules say to an item of the checklist (§11), and what of it is still open."""

    answer: str = ""
    open: str = ""


class Rule(Struct, forbid_unknown_fields=True, frozen=True):
    """One row of a penalty table: brackets inclusive, `penalty` in seconds or h:mm:ss, null = still open.

    `race_class` is a class code and `zone` a speed zone of the event ("stage/segment/zone"); at most one is given.
    """

    type: str
    target: Annotated[str, Meta(max_length=40)] = ""
    race_class: str = ""
    zone: str = ""
    offence_min: float = 0
    offence_max: float | None = None
    penalty: float | str | None | UnsetType = UNSET
    mode: Literal["flat_max", "per_impulse", "whole", "marginal", "per_second"] = "flat_max"
    applies_to: list[AppliesTo] = msgspec.field(default_factory=lambda: ["stage", "overall", "start_order"])
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    article: Text = ""
    grade: Grade = ""
    source: Text = ""
    retroactive: bool = True
    enabled: bool = True

    @property
    def table(self) -> tuple[str, str, str, str]:
        """What the row prices: rows alike in this are the brackets of one table."""
        return self.type, self.target, self.race_class, self.zone

    def __str__(self) -> str:
        about = " ".join(part for part in self.table if part)
        to = "∞" if self.offence_max is None else f"{self.offence_max:g}"
        value = "open" if self.penalty is None else str(self.penalty)
        return f"{about} {self.offence_min:g}-{to}: {value}{'' if self.enabled else ' (off)'}"


class Profile(Struct, forbid_unknown_fields=True, frozen=True):
    """A rule file. What `parse` gives is in one form, so that equal rules are equal files."""

    name: Slug
    version: Annotated[str, Meta(min_length=1, max_length=40)]
    title: Text = ""
    description: str = ""
    settings: EventSettings = EventSettings()
    waypoints: dict[WaypointType, Radii] = msgspec.field(default_factory=dict)
    formulas: list[Rule] = msgspec.field(default_factory=list)
    questions: dict[str, Question] = msgspec.field(default_factory=dict)


def parse(data: Any) -> Profile:
    """A profile from plain values. RulesError names each path and reason."""
    try:
        profile = msgspec.convert(data, Profile)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        where = path.rstrip("`").lstrip(".") or FILE
        raise RulesError([about(where, phrased(reason, foreign.SCHEMA))]) from error
    wrong = list(_wrong(profile))
    if wrong:
        raise RulesError(wrong)
    return canonical(profile)


def plain(profile: Profile) -> dict[str, Any]:
    """The profile as plain JSON values."""
    values: dict[str, Any] = msgspec.to_builtins(profile)
    return values


def canonical(profile: Profile) -> Profile:
    """The same rules in their one form: rows by table and bracket, times as h:mm:ss."""
    rows = [_canonical_rule(rule) for rule in profile.formulas]
    return msgspec.structs.replace(
        profile,
        formulas=sorted(rows, key=row_order),
        waypoints=dict(sorted(profile.waypoints.items())),
        questions={key: profile.questions[key] for key in QUESTIONS if key in profile.questions},
    )


def row_order(rule: Rule) -> tuple[Any, ...]:
    """Tables together, their brackets upwards."""
    return *rule.table, rule.offence_min, not rule.enabled, msgspec.json.encode(rule, order="sorted")


def penalty_ms(value: float | str | None | UnsetType) -> int | None:
    """Milliseconds of a penalty as written; None while it is open. ValueError for what is no time."""
    if value is None or value is UNSET:
        return None
    if isinstance(value, str):
        return _clock_ms(value)
    if not math.isfinite(value) or not 0 <= value < 36_000_000:
        raise ValueError(Said("%(given)s is no number of seconds from 0 to 10 000 h", given=value))
    return round(value * 1000)


def formula_of(rule: Rule) -> Formula:
    """The rule as the evaluators know it, without the ids of an event."""
    return Formula(
        id="",
        type=rule.type,
        target=rule.zone or rule.target,
        race_class=rule.race_class,
        offence_min=rule.offence_min,
        offence_max=rule.offence_max,
        penalty_ms=penalty_ms(rule.penalty) or 0,
        mode=rule.mode,
        applies_to=frozenset(rule.applies_to),
        article=rule.article,
        params=rule.params,
    )


def overlaps(rows: Sequence[Rule]) -> Iterator[tuple[int, int]]:
    """(row, earlier row) of one table whose brackets hold the same values; to share an edge is allowed (§3.6)."""
    tables: Mapping[Any, list[int]] = defaultdict(list)
    for index, rule in enumerate(rows):
        if rule.enabled:
            tables[rule.table].append(index)
    for table in tables.values():
        ordered = sorted(table, key=lambda i: rows[i].offence_min)
        for low, high in zip(ordered, ordered[1:], strict=False):
            upper = rows[low].offence_max
            if upper is None or rows[high].offence_min < upper or rows[high].offence_min == rows[low].offence_min:
                yield max(low, high), min(low, high)


def _clock_ms(text: str) -> int:
    found = CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(Said("%(given)s is no time: h:mm:ss, or seconds as a number", given=repr(text)))
    hours, minutes, seconds, rest = found.groups()
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + int((rest or "0").ljust(3, "0"))


def _canonical_rule(rule: Rule) -> Rule:
    ms = penalty_ms(rule.penalty)
    return msgspec.structs.replace(
        rule, penalty=None if ms is None else clock(ms), applies_to=sorted(set(rule.applies_to))
    )


def _wrong(profile: Profile) -> Iterator[Said]:
    yield from _wrong_text(profile)
    rows = enumerate(profile.formulas)
    rules = [about(f"formulas[{i}].{field}", reason) for i, rule in rows for field, reason in _wrong_rule(rule)]
    yield from rules
    for row, other in overlaps(profile.formulas) if not rules else ():
        parts = {"row": f"formulas[{other}]", "rule": profile.formulas[other]}
        yield about(f"formulas[{row}]", Said("its bracket overlaps that of %(row)s (%(rule)s)", **parts))
    for key in profile.questions:
        if key not in QUESTIONS:
            yield about(f"questions.{key}", Said("no such item; there are %(known)s", known=", ".join(QUESTIONS)))
    sources = profile.settings.source_priority
    if sources is not None and (not sources.value or len(set(sources.value)) < len(sources.value)):
        yield about("settings.source_priority.value", Said("name every source once, and at least one"))


def _wrong_text(profile: Profile) -> Iterator[Said]:
    """What PostgreSQL cannot hold."""
    try:
        if b"\\u0000" in msgspec.json.encode(profile):
            yield about(FILE, Said("a text holds the character NUL"))
    except UnicodeEncodeError as error:
        yield about(FILE, Said("a text is no Unicode: %(why)s", why=error.reason))


def _wrong_rule(rule: Rule) -> Iterator[tuple[str, Said]]:
    if rule.penalty is UNSET:
        yield "penalty", Said("missing; write null for a value that is still open")
    try:
        penalty_ms(rule.penalty)
        formula = formula_of(rule)
    except ValueError as error:
        yield "penalty", error.args[0]
        return
    if not (math.isfinite(rule.offence_min) and math.isfinite(rule.offence_max or 0)):
        yield "offence_min", Said("brackets are finite; no upper edge is null")
        return
    if rule.zone and (rule.race_class or rule.target):
        yield "zone", Said("a rule of a zone has neither class nor target")
    if rule.zone and rule.type in EVALUATORS and EVALUATORS[rule.type].terms.targets != "zone":
        yield "zone", Said("%(type)s is not about zones", type=rule.type)
        return
    if not rule.applies_to:
        yield "applies_to", Said("name at least one of stage, overall, start_order")
    yield from problems(formula)
