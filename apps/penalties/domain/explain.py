"""An issued penalty in words: what an official reads out when a crew asks why."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any

from apps.common.said import Listed, Said, listed
from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.domain.formulas import Issued, clock
from apps.penalties.domain.sentences import SCOPES, SENTENCES, STATUSES, TITLES
from apps.penalties.domain.stored import stored
from apps.penalties.domain.telling import Teller

# Told in a line of their own, or of no meaning outside the programs.
_ELSEWHERE = frozenset({"arithmetic", "review", "case"})
PART = re.compile(r"%\((\w+)\)s")


def explain(issued: Issued, zone: tzinfo = UTC, names: Mapping[str, str] | None = None) -> str:
    """The sentences about a penalty in English, one line each."""
    return "\n".join(sentences(issued, zone, names))


def sentences(issued: Issued, zone: tzinfo = UTC, names: Mapping[str, str] | None = None) -> list[Said]:
    """What happened and what it costs, the rule, the inputs with units, the arithmetic, what is to be reviewed.

    Instants are told in `zone`; `names` puts names in place of ids (of zones, waypoints, segments).
    """
    teller = Teller(zone, names or {})
    arithmetic, reviews = issued.inputs.get("arithmetic"), issued.inputs.get("review")
    lines = [
        _first(issued, teller),
        Said("Rule: %(article)s, applies to %(applies)s", article=_article(issued), applies=_applies(issued)),
        Said("Inputs: %(inputs)s", inputs=listed(_inputs(issued, teller), by="; ")),
    ]
    if arithmetic:
        lines.append(Said("Arithmetic: %(arithmetic)s", arithmetic=stored(str(arithmetic))))
    if reviews:
        lines.append(Said("To be reviewed: %(reviews)s", reviews=listed(map(stored, reviews), by="; ")))
    return lines


def _first(issued: Issued, teller: Teller) -> Said:
    parts = {
        "title": title(issued.type, issued.inputs),
        "sentence": _sentence(issued, teller),
        "outcome": _outcome(issued),
    }
    return Said("%(title)s: %(sentence)s %(outcome)s.", **parts)


def _article(issued: Issued) -> str:
    return issued.article or Said("no article given")


def _applies(issued: Issued) -> Listed:
    return listed(SCOPES.get(scope, scope) for scope in sorted(issued.applies_to))


def title(kind: str, inputs: Mapping[str, Any]) -> Said | str:
    """What a penalty of a type is called, by its inputs."""
    evaluator = EVALUATORS.get(kind)
    return TITLES.get(f"{kind}.{inputs.get('case')}") or (evaluator.title if evaluator else kind)


def _sentence(issued: Issued, teller: Teller) -> Listed | Said:
    case = f"{issued.type}.{issued.inputs.get('case')}"
    words = SENTENCES.get(case) or SENTENCES.get(issued.type)
    if words is None:
        return listed([teller.value("target", issued.target), "."], by="")
    inputs = issued.inputs
    # A penalty issued by an older engine may lack some.
    parts = {n: teller.value(n, inputs[n]) if n in inputs else Said("(unknown)") for n in PART.findall(words)}
    return Said(words.template, **parts)


def _outcome(issued: Issued) -> Listed:
    cost = Said("Penalty %(time)s", time=clock(issued.ms)) if issued.ms else Said("No time penalty")
    return listed([cost, STATUSES.get(issued.status, issued.status)] if issued.status else [cost], by="; ")


def _inputs(issued: Issued, teller: Teller) -> Iterator[Listed | Said]:
    for name, value in issued.inputs.items():
        if name not in _ELSEWHERE and not _empty(value):
            yield teller.labelled(name, value)
    if issued.fixes:
        parts = {"first": teller.at(min(issued.fixes)), "last": teller.at(max(issued.fixes))}
        yield Said("%(count)s fixes over the limit, %(first)s to %(last)s", count=len(issued.fixes), **parts)


def _empty(value: Any) -> bool:
    return isinstance(value, str | list | tuple) and not value
