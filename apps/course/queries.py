"""Controls by their bare ids: whether they are an event's, and what holds on to them."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from apps.common.said import Said

# The tables belong to timing and penalties, which stand above this app: SQL asks them without importing them.
REFERENCES = """
    select what, n from (values
        ('crossings', (select count(*) from entry_crossings where control = any(%(ids)s::uuid[]))),
        ('timing records', (select count(*) from timing_records where control = any(%(ids)s::uuid[]))),
        ('penalty rules', (select count(*) from penalty_formulas
                           where belongs_to_type = 'zone' and belongs_to_id = any(%(ids)s::uuid[]))),
        ('officials'' decisions', (select count(*) from entry_penalties
                                   where author_id is not null
                                     and key like any(select '%%' || id || '%%' from unnest(%(ids)s::uuid[]) id)))
    ) as found (what, n) where n > 0
"""
REFERRED = {
    "crossings": Said("%(n)s crossings"),
    "timing records": Said("%(n)s timing records"),
    "penalty rules": Said("%(n)s penalty rules"),
    "officials' decisions": Said("%(n)s decisions of officials"),
}

CONTROL_OF = """
    select exists (select from geofences where id = %(id)s and event_id = %(event)s)
        or exists (select from waypoints w join segments s on s.id = w.segment_id join stages st on st.id = s.stage_id
                   where w.id = %(id)s and st.event_id = %(event)s)
        or exists (select from speed_limit_zones z join segments s on s.id = z.segment_id
                   join stages st on st.id = s.stage_id where z.id = %(id)s and st.event_id = %(event)s)
"""


def is_control_of(event: UUID, control: UUID) -> bool:
    """Whether it is a geofence, a waypoint or a speed zone of the event."""
    with connection.cursor() as cursor:
        cursor.execute(CONTROL_OF, {"event": event, "id": control})
        return bool(cursor.fetchone()[0])


def references(ids: Sequence[UUID]) -> list[Said]:
    """ "12 crossings", … : what refers to these controls; nothing for none."""
    with connection.cursor() as cursor:
        cursor.execute(REFERENCES, {"ids": list(ids)})
        return [Said(REFERRED[what].template, n=n) for what, n in cursor.fetchall()]
