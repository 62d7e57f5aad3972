"""Acts on webhooks: a new secret, sending again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.integrations.models import Delivery, DeliveryState, Webhook
from apps.integrations.signing import new_secret

OVERLAP = timedelta(hours=24)


def renew_secret(webhook: Webhook) -> str:
    """Give a webhook a new secret and return it, the only time it is shown.

    For a day attempts are signed with the old one too, so that the receiver can change over without a gap.
    """
    webhook.previous_secret, webhook.previous_until = webhook.secret, timezone.now() + OVERLAP
    webhook.secret = new_secret()
    webhook.save(update_fields=["secret", "previous_secret", "previous_until", "updated_at"])
    return webhook.secret


def send_again(deliveries: Iterable[int]) -> int:
    """Deliver these once more, as if never tried; how many. Those that are waiting anyway are left alone."""
    found = Delivery.objects.filter(id__in=list(deliveries)).exclude(state=DeliveryState.PENDING)
    return found.update(state=DeliveryState.PENDING, attempts=0, next_at=timezone.now(), delivered_at=None)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Domain events of a stretch of time, both ends included; of some kinds, or of all."""

    since: datetime
    until: datetime
    kinds: tuple[str, ...] = ()


# Also what happened before the webhook was made. One that is in the hands of a relay, or waiting, stays as it is.
REPLAY = """
    insert into webhook_deliveries as held (webhook_id, domain_event_id, lane, state, attempts, next_at, leased_by, log)
    select w.id, d.id, coalesce(d.entry_id, d.event_id), 'pending', 0, now(), '', '[]'
    from webhooks w
    join events e on e.organization_id = w.organization_id and (w.event_id is null or w.event_id = e.id)
    join domain_events d on d.event_id = e.id
    where w.id = %(webhook)s and d.relayed_at is not null and d.at between %(since)s and %(until)s
      and (w.kinds = '{}' or d.kind = any(w.kinds)) and (%(kinds)s::text[] = '{}' or d.kind = any(%(kinds)s::text[]))
    order by d.id
    on conflict on constraint webhook_deliveries_once do update
        set state = 'pending', attempts = 0, next_at = now(), delivered_at = null
        where held.state <> 'pending'
"""


def replay(webhook: Webhook, stretch: Stretch) -> int:
    """Deliver what happened in a stretch of time again to a webhook, in order; how many deliveries."""
    values: Any = {
        "webhook": webhook.id, "since": stretch.since, "until": stretch.until, "kinds": list(stretch.kinds),
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(REPLAY, values)
        return int(cursor.rowcount)
