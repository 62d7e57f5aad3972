"""Which rules look back at earlier stages of the event."""

from apps.penalties.domain.formulas import Formula

# They count occurrences, or sum lateness, over the event or the leg.
COUNTING = frozenset({"false_start", "incident", "fixed_penalty", "dns_lump", "cumulative_lateness"})


def remembers(formula: Formula) -> bool:
    """Whether the price may depend on earlier stages; then a change in one stage scores the later ones too."""
    return formula.type in COUNTING or bool(formula.params.get("repeat"))
