"""What earlier stages of an event put on an entry's account: repeated offences, days not started (3.5, 6.4)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from apps.penalties.domain.registry import Before
from apps.scoring.evidence import StageOfEntry
from apps.scoring.models import StageResult
from apps.scoring.plans import EventPlan
from apps.timing.domain.plan import StagePlan

Counts = Mapping[str, int]


class Accounts:
    """The counts of some entries, stage by stage; those on record until a stage is scored anew."""

    def __init__(self, plan: EventPlan, counts: Mapping[tuple[str, str], Counts]) -> None:
        self._plan = plan
        self._counts = dict(counts)

    @classmethod
    def on_record(cls, plan: EventPlan, entries: Iterable[str]) -> "Accounts":
        """What the stored results say."""
        if not plan.remembers:
            return cls(plan, {})
        rows = StageResult.objects.filter(entry_id__in=list(entries), stage__event_id=plan.event)
        counts = rows.values_list("entry_id", "stage_id", "outcome__counts")
        return cls(plan, {(str(entry), str(stage)): found or {} for entry, stage, found in counts})

    def before(self, entry: str, stage: StagePlan) -> Before:
        """The sums over the stages driven before this one, in the event and in its leg."""
        earlier = self._plan.stages_before(stage)
        return Before(self._sum(entry, earlier), self._sum(entry, [s for s in earlier if s.leg == stage.leg]))

    def put(self, entry: str, stage: StagePlan, counts: Counts) -> None:
        """Set what a stage puts on the account."""
        self._counts[entry, stage.id] = counts

    def _sum(self, entry: str, stages: Iterable[StagePlan]) -> dict[str, int]:
        total: Counter[str] = Counter()
        for stage in stages:
            total.update(self._counts.get((entry, stage.id), {}))
        return dict(total)


def with_later_stages(plan: EventPlan, of: Sequence[StageOfEntry]) -> list[StageOfEntry]:
    """The pairs in driving order; where rules count over the event, each entry's later stages too."""
    wanted = {(entry, stage.id) for entry, stage in of}
    if plan.remembers:
        wanted |= {(entry, later.id) for entry, stage in of for later in plan.stages_after(stage)}
    entries = list(dict.fromkeys(entry for entry, _ in of))
    return [(entry, stage) for stage in plan.stages for entry in entries if (entry, stage.id) in wanted]
