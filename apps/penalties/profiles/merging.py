"""Which rules an event has after a file is applied to it, and what that changes.

Merging puts each table of the file in the place of the event's table of the same type, target, class or zone: brackets
of two tables are never mixed. What the file does not speak of stays. Replacing leaves only the file's tables, radii and
answers; settings that the file does not give stay as the event has them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from apps.penalties.profiles.schema import EventSettings, Profile, Rule, canonical


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a difference; `what` is what is changed, `to` and `was` how it reads."""

    kind: Literal["added", "changed", "removed"]
    what: str
    was: str = ""
    to: str = ""

    def __str__(self) -> str:
        if self.kind == "changed":
            return f"{self.what}: {self.was} → {self.to}"
        return f"{self.what}: {self.to or self.was}"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows of two tables matched: (index of the old row, new row)."""

    kept: list[tuple[int, Rule]]
    added: list[Rule]
    removed: list[int]


def merged(current: Profile, given: Profile, *, replace: bool) -> Profile:
    """The event's rules with the file's in place; the name and version are the file's."""
    if replace:
        return msgspec.structs.replace(given, settings=_settings(current.settings, given.settings))
    tables = {rule.table for rule in given.formulas}
    kept = [rule for rule in current.formulas if rule.table not in tables]
    both = msgspec.structs.replace(
        given,
        settings=_settings(current.settings, given.settings),
        waypoints={**current.waypoints, **given.waypoints},
        formulas=[*kept, *given.formulas],
        questions={**current.questions, **given.questions},
    )
    return canonical(both)


def paired(old: Sequence[Rule], new: Sequence[Rule]) -> Pairs:
    """Match rows: equal ones first, then those of one table with the same lower edge."""
    free, left, kept = dict(enumerate(old)), list(new), []
    for like in (_equal, _same_bracket):
        for rule in list(left):
            index = next((i for i, row in free.items() if like(row, rule)), None)
            if index is not None:
                kept.append((index, rule))
                del free[index]
                left.remove(rule)
    return Pairs(kept, left, list(free))


def differences(current: Profile, wanted: Profile) -> list[Change]:
    """What applying would change in the event, in the order of the file."""
    return [
        *_rule_changes(current.formulas, wanted.formulas),
        *_value_changes("setting", _plain(current.settings), _plain(wanted.settings)),
        *_value_changes("radius", _plain(current.waypoints), _plain(wanted.waypoints)),
        *_value_changes("answer", _plain(current.questions), _plain(wanted.questions)),
    ]


def _rule_changes(old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[Change]:
    pairs = paired(old, new)
    for rule in pairs.added:
        yield Change("added", "rule", to=str(rule))
    for index, rule in pairs.kept:
        if old[index] != rule:
            yield Change("changed", f"rule {rule}", *_unlike(old[index], rule))
    for index in pairs.removed:
        yield Change("removed", "rule", was=str(old[index]))


def _unlike(old: Rule, new: Rule) -> tuple[str, str]:
    """The fields that differ, as they were and as they will be."""
    before, after = _plain(old), _plain(new)
    names = [name for name in after if before[name] != after[name]]
    return tuple(", ".join(f"{name} {side[name]}" for name in names) for side in (before, after))  # type: ignore[return-value]


def _value_changes(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in {**old, **new}:
        was, to = old.get(name), new.get(name)
        if was is None and to is not None:
            yield Change("added", f"{what} {name}", to=_words(to))
        elif to is None and was is not None:
            yield Change("removed", f"{what} {name}", was=_words(was))
        elif was != to:
            yield Change("changed", f"{what} {name}", _words(was), _words(to))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items()) or "nothing"
    return str(value)


def _plain(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain


def _equal(old: Rule, new: Rule) -> bool:
    return old == new


def _same_bracket(old: Rule, new: Rule) -> bool:
    return old.table == new.table and old.offence_min == new.offence_min


def _settings(current: EventSettings, given: EventSettings) -> EventSettings:
    told = {name: value for name in EventSettings.__struct_fields__ if (value := getattr(given, name)) is not None}
    return msgspec.structs.replace(current, **told)
