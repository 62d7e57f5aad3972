"""What waits for an official: each open task with its number and the page where it is done."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import redis
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.common import letters, stream
from apps.course.models import Stage
from apps.desk import queries, review
from apps.desk.board import Line
from apps.desk.domain.field import Group
from apps.desk.place import Place
from apps.penalties.checklist import open_settings
from apps.racelog.domain.log import open_protests
from apps.safety.models import Alert
from apps.scoring.revisions import latest
from apps.telemetry import dead_letters
from apps.telemetry.models import REPLAY_DEAD_LETTERS
from apps.timing.models import StartList, StartListState


@dataclass(frozen=True, slots=True)
class Task:
    """A sentence, where to go, and whether it cannot wait."""

    text: str
    link: str
    urgent: bool = False


def todo(place: Place, lines: Sequence[Line]) -> list[Task]:
    """What is open, what cannot wait first. A task the user has no right to is not among them."""
    stage = place.stage
    found = [*_settings(place), *_redis(place), *_alerts(place), *_control(place)]
    if stage is not None:
        found += [*_review(place, stage), *_results(place, stage, lines), *_starts(place, stage)]
        found += _silent(place, lines)
    return sorted(found, key=lambda task: not task.urgent)


def _settings(place: Place) -> Iterator[Task]:
    if not place.may("change", "penalty_formulas"):
        return
    found = open_settings(place.event)
    blocking = sum(one.blocking for one in found)
    link = reverse("admin:events_event_change", args=[place.event.pk])
    if blocking:
        text = ngettext("%d rule forbids publishing", "%d rules forbid publishing", blocking)
        yield Task(text % blocking, link, urgent=True)
    if len(found) > blocking:
        text = ngettext("%d rule still open", "%d rules still open", len(found) - blocking)
        yield Task(text % (len(found) - blocking), link)


def _alerts(place: Place) -> Iterator[Task]:
    if not place.may("view", "alerts"):
        return
    count = Alert.objects.filter(event=place.event, closed_at=None, acknowledged_at=None).count()
    if count:
        text = ngettext("%d alert nobody has acknowledged", "%d alerts nobody has acknowledged", count) % count
        yield Task(text, place.link("safety"), urgent=True)


def _control(place: Place) -> Iterator[Task]:
    """Starts that are held, and protests to be heard; one query, which the page's head has asked already."""
    if not place.may("view", "race_log"):
        return
    state, protests = place.control, len(open_protests(place.log))
    if state.frozen:
        text = _("The stage is stopped: restart it") if state.red else _("The starts are held: release them")
        yield Task(text, place.link("control"), urgent=True)
    if protests:
        text = ngettext("%d protest to be heard", "%d protests to be heard", protests) % protests
        yield Task(text, place.link("control"), urgent=True)


def _review(place: Place, stage: Stage) -> Iterator[Task]:
    count = len(review.cases(stage, place.settled))
    if count:
        text = ngettext("%d case to review", "%d cases to review", count) % count
        yield Task(text, place.link("review"), urgent=place.may("decide"))


def _results(place: Place, stage: Stage, lines: Sequence[Line]) -> Iterator[Task]:
    last = latest(place.event, stage)
    changed = len(queries.moved(str(place.event.pk), str(stage.pk))) if last else 0
    if changed:
        text = ngettext("%d line differs from what is published", "%d lines differ from what is published", changed)
        yield Task(text % changed, place.link("results"), urgent=True)
    home = any(line.group is Group.FINISHED for line in lines)
    under_way = any(line.group is Group.ON_COURSE for line in lines)
    if home and not under_way and last is None and place.may("publish"):
        yield Task(_("Nobody is on course: publish the results"), place.link("results"))


def _starts(place: Place, stage: Stage) -> Iterator[Task]:
    if not place.may("open_stage"):
        return
    published = StartList.objects.filter(stage__event=place.event, state=StartListState.PUBLISHED)
    with_list = set(published.values_list("stage_id", flat=True))
    following = next((one for one in place.stages if one.starts_at > stage.starts_at), None)
    for one in (stage, following):
        if one is not None and one.pk not in with_list:
            text = _("%(stage)s: no start list published") % {"stage": one.name}
            yield Task(text, place.link("starts", stage=str(one.sort_order)))


def _silent(place: Place, lines: Sequence[Line]) -> Iterator[Task]:
    silent = sum(line.row.fix_ts is None for line in lines)
    if silent:
        text = ngettext("%d entry has never sent a position", "%d entries have never sent a position", silent)
        yield Task(text % silent, place.link("trackers"))


def _redis(place: Place) -> Iterator[Task]:
    if not place.user.has_perm(REPLAY_DEAD_LETTERS):
        return
    try:
        with closing(stream.connect(settings.REDIS_URL)) as client:
            count = letters.count(client, dead_letters.all_streams())
    except redis.RedisError:
        yield Task(_("Redis does not answer: no new positions come in"), "", urgent=True)
        return
    if count:
        text = ngettext("%d dead letter", "%d dead letters", count) % count
        yield Task(text, reverse("admin:telemetry_deadletter_changelist"), urgent=True)
