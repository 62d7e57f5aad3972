"""What can be replayed: a stage, or several one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import Http404
from django.utils.translation import gettext as _

from apps.live.stage_times import StageTime

ALL = "all"


@dataclass(frozen=True, slots=True)
class Reel:
    """Stages that are replayed one after the other, and how an address asks for them: `?kind=value`."""

    name: str
    kind: str
    value: str
    stages: Sequence[StageTime]

    @property
    def query(self) -> str:
        return f"?{self.kind}={self.value}"


def reels(times: Sequence[StageTime]) -> list[Reel]:
    """All stages together and the legs of several, where that is more than one and less than all; then each stage."""
    legs: dict[int, list[StageTime]] = {}
    for one in times:
        if one.stage.leg is not None:
            legs.setdefault(one.stage.leg, []).append(one)
    whole = [Reel(_("All stages"), "stage", ALL, times)] if len(times) > 1 else []
    several = [
        Reel(_("Leg {n}").format(n=leg), "leg", str(leg), of) for leg, of in legs.items() if 1 < len(of) < len(times)
    ]
    return [*whole, *several, *(Reel(one.stage.name, "stage", str(one.stage.sort_order), [one]) for one in times)]


def chosen_reel(asked: Mapping[str, str], found: Sequence[Reel]) -> Reel | None:
    """The last stage where nothing is asked for, or all of one. Raises Http404 for what there is not."""
    is_all = asked.get("stage") == ALL and len(found) < 2
    if is_all or not (asked.get("stage") or asked.get("leg")):
        return found[-1] if found else None
    for reel in found:
        if asked.get(reel.kind) == reel.value:
            return reel
    raise Http404
