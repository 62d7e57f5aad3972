"""Publishing results: unofficial → provisional with a protest clock → official; amended by a new number (9.2).

A published revision never changes. What a recompute would change is shown until an official amends.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.course.models import Stage
from apps.events.models import Event
from apps.penalties.checklist import blocking_settings
from apps.racelog.queries import waiting_protests
from apps.racelog.services import tell
from apps.scoring import queries, snapshot
from apps.scoring.finality import unsettled
from apps.scoring.models import EventResult, ResultRevision, RevisionState, StageResult
from apps.scoring.proof import ask_for

log = structlog.get_logger(__name__)

PROTEST_MINUTES = 30  # in no regulation we have read (rulebook 9.2): each publication may say otherwise

NEXT: Mapping[str, frozenset[str]] = {
    "": frozenset({"unofficial", "provisional"}),
    "unofficial": frozenset({"unofficial", "provisional"}),
    "provisional": frozenset({"amended", "official"}),
    "amended": frozenset({"amended", "official"}),
    "official": frozenset({"amended"}),
}


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published: a stage, or the event (stage None); `reason` is needed to amend.

    `protest_minutes` is how long protests are heard, for provisional and amended results.
    """

    event: Event
    state: str
    stage: Stage | None = None
    reason: str = ""
    protest_minutes: int = PROTEST_MINUTES


def publish(publication: Publication, author: User) -> ResultRevision:
    """Freeze the results as the next revision. Raises ValidationError with every reason why it cannot be."""
    event, stage = publication.event, publication.stage
    _refuse(list(_obstacles(publication, latest(event, stage))))
    taken = snapshot.take(str(event.id), None if stage is None else str(stage.id))
    _refuse(list(_behind(publication, taken["results"])))
    with transaction.atomic():
        queries.lock("revisions", [str(event.id)])
        last = latest(event, stage)
        _refuse(list(_obstacles(publication, last)))  # another official may have published meanwhile
        made = ResultRevision.objects.create(
            event=event,
            stage=stage,
            number=1 if last is None else last.number + 1,
            state=publication.state,
            protest_until=_protest_until(publication),
            published_by=author,
            reason=publication.reason.strip(),
            snapshot=taken,
            hash=snapshot.digest(taken),
        )
        words = {"state": made.get_state_display(), "number": made.number}
        tell(author, event, stage, _("Results published: %(state)s, revision %(number)d.") % words)
        transaction.on_commit(lambda: ask_for(made.pk))
        return made


def latest(event: Event, stage: Stage | None) -> ResultRevision | None:
    """The revision in force, without its snapshot."""
    return ResultRevision.objects.filter(event=event, stage=stage).defer("snapshot").order_by("-number").first()


def _refuse(obstacles: list[str]) -> None:
    if obstacles:
        raise ValidationError(obstacles)


def _obstacles(publication: Publication, last: ResultRevision | None) -> Iterator[str]:
    before = last.state if last else ""
    if publication.state not in RevisionState.values:
        yield _("There is no state %(state)s.") % {"state": publication.state}
    elif publication.state not in NEXT[before]:
        allowed = ", ".join(sorted(NEXT[before]))
        yield _("After %(before)s comes %(allowed)s, not %(state)s.") % {
            "before": before or _("nothing"), "allowed": allowed, "state": publication.state,
        }  # fmt: skip
    if publication.state == "amended" and not publication.reason.strip():
        yield _("Say why the results are amended.")
    if publication.state == "official" and last and last.protest_until and last.protest_until > timezone.now():
        yield _("Protests are heard until %(until)s.") % {"until": last.protest_until.isoformat(timespec="minutes")}
    if publication.state == "official" and publication.stage is None:
        yield from unsettled(publication.event)
    if publication.state == "official":
        yield from _unheard(publication)
    yield from (setting.sentence for setting in blocking_settings(publication.event))


def _unheard(publication: Publication) -> Iterator[str]:
    """Results are final when every enquiry is closed (rulebook 9.2)."""
    waiting = waiting_protests(publication.event, publication.stage)
    if waiting:
        numbers = ", ".join(str(line.entry.race_number) for line in waiting if line.entry)
        yield _("Protests are still to be heard, of number %(numbers)s.") % {"numbers": numbers}


def _behind(publication: Publication, results: list[dict[str, Any]]) -> Iterator[str]:
    """The board must show what is published: else the scorer is behind, or something is wrong."""
    shown = _shown(publication)
    differ = sorted(line["number"] for line in results if shown.get(line["entry"]) != (line["total_ms"], line["rank"]))
    if differ:
        numbers = ", ".join(map(str, differ[:10]))
        yield _("Scoring is still at it for number %(numbers)s: try again in some seconds.") % {"numbers": numbers}
    if publication.state == "official":
        running = [line["number"] for line in results if line["status"] == "running"]
        if running and publication.stage is not None:
            numbers = ", ".join(map(str, sorted(running)))
            yield _("Number %(numbers)s has no end yet: finished, or a status by decision.") % {"numbers": numbers}


def _shown(publication: Publication) -> dict[str, tuple[int | None, int | None]]:
    if publication.stage is None:
        rows: Any = EventResult.objects.filter(event=publication.event)
    else:
        rows = StageResult.objects.filter(stage=publication.stage)
    return {str(entry): (total, rank) for entry, total, rank in rows.values_list("entry_id", "total_ms", "rank")}


def _protest_until(publication: Publication) -> Any:
    heard = publication.state in ("provisional", "amended")
    return timezone.now() + timedelta(minutes=publication.protest_minutes) if heard else None


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that differs between what was published and something else: (old, new) by name."""

    race_number: int
    changes: Mapping[str, tuple[Any, Any]]


COMPARED = ("status", "total_ms", "penalty_ms", "rank", "class_rank", "splits", "hashes")


def would_change(revision: ResultRevision) -> list[LineChange]:
    """What an amendment now would change: the published results stand until then."""
    stage = None if revision.stage_id is None else str(revision.stage_id)
    now = snapshot.take(str(revision.event_id), stage)["results"]
    return list(compare(revision.snapshot["results"], now))


def verify(revision: ResultRevision) -> list[str]:
    """Why the revision cannot be relied on, as sentences; empty when it recomputes to the same."""
    found = []
    if not _is_as_published(revision):
        found.append("the snapshot does not have the hash it was published with")
    if revision.snapshot["engine"] != snapshot.ENGINE:
        found.append(f"it was computed by {revision.snapshot['engine']}, this is {snapshot.ENGINE}")
    changes = compare(revision.snapshot["results"], snapshot.recompute(revision.snapshot))
    return found + [f"number {c.race_number}: {_words(c)}" for c in changes]


def prove(revision: str) -> list[str]:
    """What `verify` says of a revision, by its id; faults are logged for somebody to see."""
    found = ResultRevision.objects.select_related("event", "stage").get(pk=revision)
    faults = verify(found)
    if faults:
        log.error("a publication does not prove", revision=str(found), id=revision, faults=faults)
    return faults


def _is_as_published(revision: ResultRevision) -> bool:
    """Whether the snapshot has the hash it was published with, or one that erasures of names lead to from there."""
    digests = [revision.hash, *(one["became"] for one in revision.erasures)]
    linked = [one["was"] for one in revision.erasures] == digests[:-1]
    return linked and snapshot.digest(revision.snapshot) == digests[-1]


def compare(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[LineChange]:
    """The lines that differ, by race number."""
    before, after = ({line["number"]: line for line in lines} for lines in (old, new))
    for number in sorted(before.keys() | after.keys()):
        a, b = before.get(number, {}), after.get(number, {})
        changes = {name: (a.get(name), b.get(name)) for name in COMPARED if a.get(name) != b.get(name)}
        if changes:
            yield LineChange(number, changes)


def _words(change: LineChange) -> str:
    return ", ".join(f"{name} {old} → {new}" for name, (old, new) in change.changes.items())
