"""Classifications of a stage, a leg or the event, from the stored results: what pages, documents and the API show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from apps.events.models import Entry
from apps.scoring.domain.classification import Line, Rules
from apps.scoring.domain.lines import NOTHING_YET, Competitor, Reading, stage_line
from apps.scoring.domain.overall import leg, of_event
from apps.scoring.domain.standings import Row, Table
from apps.scoring.domain.standings import standings as tables
from apps.scoring.domain.status import Status
from apps.scoring.models import StageResult
from apps.scoring.plans import EventPlan, event_plan
from apps.timing.domain.plan import StagePlan


class Scope(StrEnum):
    """What is classified."""

    STAGE = "stage"
    LEG = "leg"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Of:
    """A stage by its id, a leg by its name (`StagePlan.leg`), or the event."""

    scope: Scope = Scope.EVENT
    id: str = ""


WHOLE_EVENT = Of()
SCRATCH = Table()


def standings(event: str, of: Of = WHOLE_EVENT, table: Table = SCRATCH) -> tuple[Row, ...]:
    """The table of every competing entry, results or not, in three queries (more when the plan is new).

    Teams are of the event's size, whatever the table says.
    Sections of classes are named by their codes. Raises LookupError for a stage or leg the event has not.
    """
    plan = event_plan(event)
    return tables(_lines(plan, of), Rules(plan.tie_rule, plan.complete_first), replace(table, team_size=plan.team_size))


def _lines(plan: EventPlan, of: Of) -> list[Line]:
    stages = _stages(plan, of)
    crews = _competitors(plan.event)
    found = _readings(stages)
    per_stage = [_of_stage(stage, crews, found) for stage in stages]
    if of.scope is Scope.STAGE:
        return per_stage[0]
    return leg(per_stage) if of.scope is Scope.LEG else of_event(stages, per_stage)


def _stages(plan: EventPlan, of: Of) -> Sequence[StagePlan]:
    if of.scope is Scope.EVENT:
        return plan.stages
    found = [stage for stage in plan.stages if of.id == (stage.id if of.scope is Scope.STAGE else stage.leg)]
    if not found:
        raise LookupError(f"event {plan.event} has no {of.scope.value} {of.id!r}")
    return found


def _competitors(event: str) -> list[Competitor]:
    rows = Entry.objects.filter(event_id=event, competing=True).select_related("race_class")
    return [Competitor(str(e.id), e.race_number, e.race_class.code, e.team, e.race_class.group, e.status) for e in rows]


_Key = tuple[str, str]  # stage, entry
FIELDS = (
    "stage_id", "entry_id", "status", "total_ms", "splits", "penalty_ms", "overall_penalty_ms",
    "outcome__start_order_penalty_ms",
)  # fmt: skip


def _readings(stages: Iterable[StagePlan]) -> dict[_Key, Reading]:
    by_id = {stage.id: stage for stage in stages}
    rows = StageResult.objects.filter(stage_id__in=by_id).values_list(*FIELDS)
    return {
        (str(stage), str(entry)): Reading(
            status=Status(status),
            total_ms=total_ms,
            splits=tuple(splits),
            penalty_ms=penalty_ms,
            overall_penalty_ms=overall_ms,
            start_order_penalty_ms=start_order_ms or 0,
            super_special=by_id[str(stage)].super_special,
            overall_factor=by_id[str(stage)].overall_factor,
        )
        for stage, entry, status, total_ms, splits, penalty_ms, overall_ms, start_order_ms in rows
    }


def _of_stage(stage: StagePlan, crews: Iterable[Competitor], found: Mapping[_Key, Reading]) -> list[Line]:
    return [stage_line(found.get((stage.id, crew.entry), NOTHING_YET), crew) for crew in crews]
