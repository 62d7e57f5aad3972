"""Every fact is told in the transaction that changed it, by whatever door, and nothing is told that did not change."""

import random
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from redis import Redis

from apps.audit.models import AuditEntry
from apps.common import stream
from apps.integrations.factories import WebhookFactory
from apps.integrations.models import DomainEvent
from apps.integrations.services import renew_secret
from apps.penalties.factories import EntryPenaltyFactory
from apps.penalties.models import EntryPenalty
from apps.scoring.factories import ResultRevisionFactory, StageResultFactory
from apps.scoring.models import StageResult
from apps.scoring.services import Again, score_again
from apps.scoring.tests import rally as rallies
from apps.scoring.tests.pipes import processor, scorer
from apps.timing.factories import EntryCrossingFactory, TimingRecordFactory
from apps.timing.models import EntryCrossing

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    return list(DomainEvent.objects.order_by("id").values_list("kind", flat=True))


def test_crossings_are_told_when_recorded_and_when_withdrawn() -> None:
    crossing = EntryCrossingFactory()
    EntryCrossing.objects.all().delete()
    first, last = DomainEvent.objects.order_by("id")
    assert (first.kind, last.kind) == ("crossing.recorded", "crossing.withdrawn")
    assert first.entry_id == crossing.entry_id and first.event_id == crossing.entry.event_id
    assert first.payload == last.payload
    assert first.payload["ts"] == crossing.ts and first.payload["control"] == str(crossing.control)
    assert crossing.device not in str(first.payload), "the IMEI stays in the house"


def test_a_batch_is_one_insert_however_many_rows() -> None:
    entry = EntryCrossingFactory().entry
    rows = [EntryCrossingFactory.build(entry=entry, before_ts=n, ts=n, after_ts=n) for n in range(1, 51)]
    DomainEvent.objects.all().delete()
    with CaptureQueriesContext(connection) as queries:
        EntryCrossing.objects.bulk_create(rows)
    assert len(queries) == 1
    assert [e.payload["ts"] for e in DomainEvent.objects.order_by("id")] == list(range(1, 51))


def test_a_timing_record_and_a_published_result_are_told() -> None:
    record, revision = TimingRecordFactory(), ResultRevisionFactory()
    first, last = DomainEvent.objects.order_by("id")
    assert (first.kind, first.payload["timing_record"]) == ("timing_record.written", str(record.id))
    assert first.payload["ts"] == round(record.ts.timestamp() * 1000)
    assert (last.kind, last.payload["number"], last.entry_id) == ("result.published", revision.number, None)


def test_a_result_is_told_when_times_or_status_change_and_not_when_others_pass_by() -> None:
    result = StageResultFactory()
    StageResult.objects.update(rank=7, class_rank=3, inputs_hash="1" * 64)
    assert told() == ["stage_result.computed"]
    StageResult.objects.update(total_ms=61_000)
    assert told() == ["stage_result.computed"] * 2
    last = DomainEvent.objects.latest("id")
    assert (last.payload["total_ms"], last.payload["stage"]) == (61_000, str(result.stage_id))


def test_penalties_are_told() -> None:
    penalty = EntryPenaltyFactory()
    EntryPenalty.objects.update(inputs={"more": 1})
    EntryPenalty.objects.update(seconds=Decimal(99))
    penalty.delete()
    assert told() == ["penalty.issued", "penalty.changed", "penalty.withdrawn"]


def test_what_is_rolled_back_never_happened() -> None:
    entry = EntryCrossingFactory().entry
    DomainEvent.objects.all().delete()
    with transaction.atomic():
        EntryCrossingFactory(entry=entry, before_ts=1, ts=1, after_ts=1)
        transaction.set_rollback(True)
    assert told() == []


@pytest.mark.django_db(transaction=True)
def test_the_scorer_tells_what_it_found_and_nothing_when_it_finds_the_same_again(redis: Redis) -> None:
    rally = rallies.build(3)
    stream.send(redis, "telemetry:t", rallies.drive(rally, random.Random(5)))
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    kinds = told()
    assert {"crossing.recorded", "stage_result.computed", "penalty.issued"} <= set(kinds)
    held = kinds.count("penalty.issued") - kinds.count("penalty.withdrawn")
    assert held == EntryPenalty.objects.count() > 0
    list(score_again(Again(str(rally.event.id))))
    assert told() == kinds


def test_the_audit_keeps_no_secret_of_a_webhook() -> None:
    webhook = WebhookFactory()
    before = webhook.secret
    after = renew_secret(webhook)
    lines: Any = AuditEntry.objects.filter(table="webhooks").order_by("id")
    kept = "".join(str((line.old, line.new)) for line in lines)
    assert len(lines) == 2 and "(not kept)" in kept
    assert before not in kept and after not in kept


def test_redis_is_not_needed_to_write(redis: Redis) -> None:
    """The fact and its telling are one transaction of PostgreSQL; the stream comes later, from the relay."""
    EntryCrossingFactory()
    assert told() == ["crossing.recorded"]
    assert redis.keys() == []
