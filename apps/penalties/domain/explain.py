"""An issued penalty in words: what a crew is shown when it asks why."""

from apps.penalties.domain.formulas import Issued, clock

_TITLES = {
    "missed_waypoint": "Missed waypoint",
    "speed_zone": "Speeding in a zone",
    "waypoint_ratio": "Too few waypoints",
}
# Told in the sentence itself, or too long for one.
_ELSEWHERE = frozenset({"arithmetic", "review", "pulses", "spikes", "intervals"})


def explain(issued: Issued) -> str:
    """The rule's article, the inputs and the arithmetic of a penalty, as one readable text."""
    title = _TITLES.get(issued.type, issued.type)
    lines = [
        f"{title} {issued.target}".rstrip() + f": {clock(issued.ms)}",
        f"Rule: {issued.article or 'no article given'}, applies to {', '.join(sorted(issued.applies_to))}",
        "Inputs: " + ", ".join(_inputs(issued)),
    ]
    if issued.inputs.get("arithmetic"):
        lines.append(f"Arithmetic: {issued.inputs['arithmetic']}")
    if issued.inputs.get("review"):
        lines.append("To be reviewed: " + "; ".join(issued.inputs["review"]))
    return "\n".join(lines)


def _inputs(issued: Issued) -> list[str]:
    told = [f"{name} {value}" for name, value in sorted(issued.inputs.items()) if name not in _ELSEWHERE]
    if "pulses" in issued.inputs:
        told.append(f"{len(issued.inputs['pulses'])} pulses")
    if issued.fixes:
        told.append(f"{len(issued.fixes)} fixes over the limit")
    return told
