"""What officials look at in a stage: times in doubt, offences proposed, words against evidence (rulebook 9.3)."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.said import told as in_words
from apps.course.models import Stage
from apps.desk import queries
from apps.desk.domain.reviews import Doubtful, doubtful, other_conflicts
from apps.desk.telling import told
from apps.penalties.domain.explain import sentences
from apps.penalties.domain.formulas import Issued
from apps.penalties.domain.stored import stored
from apps.penalties.models import Decision, EntryPenalty, PenaltyStatus
from apps.penalties.words import type_in_words
from apps.scoring.plans import EventPlan, event_plan
from apps.timing.domain.plan import SegmentPlan

KINDS: dict[str, Any] = {
    "time": gettext_lazy("Times"),
    "waypoint": gettext_lazy("Waypoints"),
    "speed": gettext_lazy("Speed zones"),
    "penalty": gettext_lazy("Other penalties"),
    "conflict": gettext_lazy("Contradictions"),
}
OF_TYPE = {"missed_waypoint": "waypoint", "waypoint_ratio": "waypoint", "speed_zone": "speed"}


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to look at. A time names its control, a penalty its row; a contradiction has its words alone."""

    kind: str
    entry: str
    number: int
    title: str
    details: Sequence[str]
    control: str = ""
    penalty: EntryPenalty | None = None
    said: str = ""  # what is settled when it is settled: other words on the same thing are another case

    @property
    def key(self) -> str:
        """Names the case on the page, and in the form that settles it."""
        about = self.penalty.key if self.penalty else self.control or self.title
        return f"{self.kind}:{self.entry}:{about}"


def cases(stage: Stage, settled: Collection[tuple[str, str]] = ()) -> list[Case]:
    """Everything open in a stage, by race number and then by kind; without what was `settled`, (entry, `said`)."""
    plan = event_plan(str(stage.event_id))
    every = [*_of_results(stage, plan), *_of_penalties(stage, plan.names)]
    found = [case for case in every if not case.said or (case.entry, case.said) not in settled]
    order = list(KINDS)
    return sorted(found, key=lambda case: (case.number, order.index(case.kind), case.title))


def _of_results(stage: Stage, plan: EventPlan) -> Iterator[Case]:
    confirmed = _confirmed(stage)
    segments = {one.id: one for s in plan.stages if s.id == str(stage.pk) for one in s.segments}
    names = _segment_names(stage)
    for doubt in queries.doubts(str(stage.pk)):
        for one in doubtful(doubt.segments):
            control = _control(segments.get(one.segment), one)
            if (doubt.entry, control) not in confirmed:
                title = _title(one, plan.names.get(control, ""), names)
                words = [told(text, {**plan.names, **names}) for text in one.words]
                yield Case("time", doubt.entry, doubt.number, title, words, control, said=_said(control, *one.words))
        for text in other_conflicts(doubt.conflicts, doubt.segments):
            title = told(text, {**plan.names, **names})
            yield Case("conflict", doubt.entry, doubt.number, title, (), said=_said("", text))


def _said(control: str, *words: str) -> str:
    """Names what is said of a time, or of a result: the same as long as the evidence says the same."""
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
    return f"{control or 'result'}:{digest}"


def _of_penalties(stage: Stage, names: Mapping[str, str]) -> Iterator[Case]:
    rows = EntryPenalty.objects.filter(stage=stage, status=PenaltyStatus.PROPOSED).select_related("entry")
    settled = _settled(stage)
    for row in rows:
        if (str(row.entry_id), row.key) in settled:
            continue  # the scorer follows within seconds; nobody is to decide it twice meanwhile
        kind = OF_TYPE.get(row.type, "penalty")
        target = row.key.partition(":")[2]
        title = names.get(target) or type_in_words(row.type)
        yield Case(kind, str(row.entry_id), row.entry.race_number, title, list(_details(row, names)), penalty=row)


def _details(row: EntryPenalty, names: Mapping[str, str]) -> Iterator[str]:
    """The arithmetic and what is to be reviewed; of a waypoint that is not proved which gap says so."""
    if row.inputs.get("case") == "unproved":
        issued = Issued("", row.type, row.key.partition(":")[2], round(row.seconds * 1000), row.inputs)
        yield in_words(sentences(issued, timezone.get_current_timezone(), names)[0], _)
    for text in (row.inputs.get("arithmetic"), *(row.inputs.get("review") or ())):
        if text:
            yield in_words(stored(str(text)), _)


def _settled(stage: Stage) -> set[tuple[str, str]]:
    """(entry, key) of the penalties an official has decided about."""
    rows = Decision.objects.filter(stage=stage, revoked_at=None, params__has_key="key")
    return {(str(entry), str(params["key"])) for entry, params in rows.values_list("entry_id", "params")}


def _confirmed(stage: Stage) -> set[tuple[str, str]]:
    """(entry, control) of the times an official has confirmed: what differs from them is settled."""
    rows = Decision.objects.filter(stage=stage, kind="confirm_time", revoked_at=None).values_list("entry_id", "params")
    return {(str(entry), str(params["control"])) for entry, params in rows}


def _control(segment: SegmentPlan | None, one: Doubtful) -> str:
    point = segment and (segment.start if one.end == "start" else segment.finish)
    return point.control if point else ""


def _segment_names(stage: Stage) -> dict[str, str]:
    return {str(segment.pk): str(segment) for segment in stage.segments.all()}


def _title(one: Doubtful, control: str, names: Mapping[str, str]) -> str:
    segment = names.get(one.segment, "")
    words = {"start": _("%(segment)s: start at %(control)s"), "finish": _("%(segment)s: finish at %(control)s")}
    return words.get(one.end, "%(segment)s") % {"segment": segment, "control": control}
