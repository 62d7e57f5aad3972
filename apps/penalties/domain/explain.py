"""An issued penalty in words: what an official reads out when a crew asks why."""

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any

from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.domain.formulas import Issued, clock
from apps.penalties.domain.sentences import SENTENCES, STATUSES
from apps.penalties.domain.telling import Teller

# Told in a line of their own, or of no meaning outside the programs.
_ELSEWHERE = frozenset({"arithmetic", "review", "case"})


def explain(issued: Issued, zone: tzinfo = UTC, names: Mapping[str, str] | None = None) -> str:
    """What happened and what it costs, the rule, the inputs with units, the arithmetic, what is to be reviewed.

    One line each. Instants are told in `zone`; `names` puts names in place of ids (of zones, waypoints, segments).
    """
    teller = Teller(zone, names or {})
    applies = ", ".join(sorted(issued.applies_to))
    lines = [
        f"{_title(issued)}: {_sentence(issued, teller)} {_outcome(issued)}.",
        f"Rule: {issued.article or 'no article given'}, applies to {applies}",
        f"Inputs: {'; '.join(_inputs(issued, teller))}",
    ]
    if issued.inputs.get("arithmetic"):
        lines.append(f"Arithmetic: {issued.inputs['arithmetic']}")
    if issued.inputs.get("review"):
        lines.append(f"To be reviewed: {'; '.join(issued.inputs['review'])}")
    return "\n".join(lines)


class _Told(dict[str, str]):
    """Inputs in words; a penalty issued by an older engine may lack some."""

    def __missing__(self, name: str) -> str:
        return "(unknown)"


def _title(issued: Issued) -> str:
    evaluator = EVALUATORS.get(issued.type)
    return evaluator.title if evaluator else issued.type


def _sentence(issued: Issued, teller: Teller) -> str:
    case = f"{issued.type}.{issued.inputs.get('case')}"
    words = SENTENCES.get(case) or SENTENCES.get(issued.type)
    if words is None:
        return f"{teller.value('target', issued.target)}."
    return words.format_map(_Told((name, teller.value(name, value)) for name, value in issued.inputs.items()))


def _outcome(issued: Issued) -> str:
    told = f"Penalty {clock(issued.ms)}" if issued.ms else "No time penalty"
    return f"{told}; {STATUSES.get(issued.status, issued.status)}" if issued.status else told


def _inputs(issued: Issued, teller: Teller) -> Iterator[str]:
    for name, value in issued.inputs.items():
        if name not in _ELSEWHERE and not _empty(value):
            yield teller.labelled(name, value)
    if issued.fixes:
        first, last = min(issued.fixes), max(issued.fixes)
        yield f"{len(issued.fixes)} fixes over the limit, {teller.at(first)} to {teller.at(last)}"


def _empty(value: Any) -> bool:
    return isinstance(value, str | list | tuple) and not value
