"""Random rules that a rule file may hold, for property tests."""

from typing import Any, get_args

from hypothesis import strategies as st

from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.profiles.questions import QUESTIONS
from apps.penalties.profiles.schema import AppliesTo, Grade, Profile, Source, WaypointType, parse

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
AWKWARD = st.sampled_from(
    ["", "no", "80.16", "1e5", "1:30:00", "~", "2026-11-21", "=", "<<", "0x1f", "on", " a ", "\n"]
)
WORDS = st.one_of(TEXTS, AWKWARD)
PARAMS = {
    "speed_zone": {"cap_ms": 60_000, "repeat": [1, 1.5, 3], "scope": "event", "fine": "1e5"},
    "dns_lump": {"allowed": None, "add_maximum": True},
    "time_control": {"max_late_minutes": 30},
}


@st.composite
def rules(draw: st.DrawFn, classes: tuple[str, ...] = (), zones: tuple[str, ...] = ()) -> dict[str, Any]:
    """One rule, as plain values; its bracket is its own by the integer it starts at."""
    kind = draw(st.sampled_from(sorted(EVALUATORS)))
    terms = EVALUATORS[kind].terms
    rule = {
        "type": kind,
        "offence_min": draw(st.integers(0, 9)) * 10,
        "penalty": draw(st.none() | st.integers(0, 10**8).map(lambda ms: ms / 1000)),
        "mode": draw(st.sampled_from(sorted(terms.modes))),
        "applies_to": draw(st.lists(st.sampled_from(get_args(AppliesTo)), min_size=1, unique=True)),
        "params": draw(st.just({}) | st.just(PARAMS.get(kind, {}))),
        "article": draw(WORDS),
        "source": draw(WORDS),
        "grade": draw(st.sampled_from(get_args(Grade))),
        "retroactive": draw(st.booleans()),
        "enabled": draw(st.booleans()),
    }
    rule["offence_max"] = rule["offence_min"] + draw(st.integers(0, 9)) + draw(st.sampled_from([0, 0.5]))
    return {**rule, **_about(draw, kind, classes, zones)}


def _about(draw: st.DrawFn, kind: str, classes: tuple[str, ...], zones: tuple[str, ...]) -> dict[str, str]:
    terms = EVALUATORS[kind].terms
    if kind == "speed_zone" and zones and draw(st.booleans()):
        return {"zone": draw(st.sampled_from(zones))}
    target = draw(st.sampled_from(["", *sorted(terms.choices)])) if terms.choices else ""
    return {"target": target, "race_class": draw(st.sampled_from(["", *classes]))}


def _apart(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One rule for each bracket of each table, so that none overlap."""
    keys = ("type", "target", "race_class", "zone", "offence_min")
    return list({tuple(rule.get(key, "") for key in keys): rule for rule in found}.values())


def given_values(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A setting with or without evidence, or none."""
    return st.fixed_dictionaries({"value": values}, optional={"grade": st.sampled_from("AB"), "source": WORDS})


SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "tie_rule": given_values(st.sampled_from(["last_ss_backwards", "first_ss_forwards", "number", "shared"])),
    "complete_first": given_values(st.booleans()),
    "allow_back": given_values(st.booleans()),
    "price_unproved": given_values(st.booleans()),
    "rounding_ms": given_values(st.sampled_from([100, 1000])),
    "gap_limit_seconds": given_values(st.integers(1, 32_767)),
    "discrepancy_ms": given_values(st.integers(0, 2_147_483_647)),
    "source_priority": given_values(st.lists(st.sampled_from(get_args(Source)), min_size=1, unique=True)),
    "team_size": given_values(st.integers(1, 32_767)),
}
RADII = st.fixed_dictionaries(
    {}, optional={"open_m": st.floats(1, 5000), "clear_m": st.floats(1, 500), "source": WORDS}
)


@st.composite
def profiles(draw: st.DrawFn, classes: tuple[str, ...] = ("M-1", "no"), zones: tuple[str, ...] = ("1/1/Z",)) -> Profile:
    """A profile as `parse` gives it."""
    return parse({
        "name": draw(st.sampled_from(["fim-2025", "mine", "1e5"])),
        "version": draw(st.sampled_from(["1", "1.0", "2026-11-21"])),
        "title": draw(WORDS),
        "description": draw(WORDS),
        "settings": draw(st.fixed_dictionaries({}, optional=SETTINGS)),
        "waypoints": draw(st.dictionaries(st.sampled_from(get_args(WaypointType)), RADII, max_size=3)),
        "formulas": _apart(draw(st.lists(rules(classes, zones), max_size=6))),
        "questions": draw(
            st.dictionaries(
                st.sampled_from(list(QUESTIONS)),
                st.fixed_dictionaries({}, optional={"answer": WORDS, "open": WORDS}),
                max_size=4,
            )
        ),
    })  # fmt: skip
