"""Real Celery workers on both queues: an official's act never waits behind bulk work, and twice is as once."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from kombu.exceptions import OperationalError
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.course.models import Stage
from apps.scoring import proof, revisions, snapshot, tasks
from apps.scoring.models import ResultRevision, StageResult
from apps.scoring.revisions import Publication, publish
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race
from apps.scoring.tests.workers import Start, until, workers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def driven(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> rally.Rally:
    monkeypatch.setattr(snapshot, "SETTLED", timedelta(0))  # nobody writes beside the test
    return race(redis, rally.build())


@pytest.fixture
def start(redis_url: str, tmp_path: Path) -> Iterator[Start]:
    with workers(redis_url, tmp_path / "workers.log") as begin:
        yield begin


def test_a_publication_is_proved_by_a_worker_and_bulk_work_is_left_to_others(
    driven: rally.Rally, redis: Redis, start: Start
) -> None:
    rescoring = current_app.send_task("apps.scoring.tasks.rescore", [str(driven.event.id), list(_ids(driven)), ""])
    start("acts")
    publish(Publication(driven.event, "provisional", Stage.objects.get(id=driven.stage_id)), UserFactory())
    until(lambda: redis.llen("acts") == 0)
    proved = current_app.send_task(proof.TASK, [str(ResultRevision.objects.get().pk)])
    assert proved.get(timeout=60) == []
    assert (redis.llen("bulk"), rescoring.ready()) == (1, False)
    start("bulk")
    assert rescoring.get(timeout=60) == 5


def test_an_officials_rescore_goes_by_the_queue_of_acts(driven: rally.Rally, start: Start) -> None:
    start("acts")
    before = rally.readings()
    StageResult.objects.update(inputs_hash="0" * 64)
    words: dict[str, object] = {"workers": True, "stdout": StringIO(), "stderr": StringIO()}
    call_command("rescore", driven.event.slug, stage="Stage 1", **words)
    assert rally.readings() == before
    call_command("rescore", driven.event.slug, stage="Stage 1", **words)
    assert rally.readings() == before
    with pytest.raises(CommandError, match="no worker answers.*bulk"):
        call_command("rescore", driven.event.slug, **words)


def test_a_publication_that_does_not_prove_is_said(
    driven: rally.Rally, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The evidence changes under it: a tracker's fixes go."""
    made = publish(Publication(driven.event, "provisional", Stage.objects.get(id=driven.stage_id)), UserFactory())
    said: list[str] = []
    monkeypatch.setattr(revisions.log, "error", lambda event, **more: said.append(event), raising=False)
    assert tasks.prove.apply(args=(str(made.pk),)).get() == []
    assert said == []
    monkeypatch.setattr(snapshot, "recompute", lambda taken: [])
    assert len(tasks.prove.apply(args=(str(made.pk),)).get()) == 5
    assert said == ["a publication does not prove"]


def test_without_a_broker_it_is_published_all_the_same(driven: rally.Rally, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **options: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(current_app, "send_task", away)
    publish(Publication(driven.event, "provisional", Stage.objects.get(id=driven.stage_id)), UserFactory())
    assert ResultRevision.objects.count() == 1


def _ids(driven: rally.Rally) -> Iterator[str]:
    return (str(entry.pk) for entry in driven.entries)
