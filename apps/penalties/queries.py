"""What stands above this app and must be known here: SQL asks it without importing it."""

from uuid import UUID

from django.db import connection

# An amended revision took the place of an official one.
OFFICIAL = """
    select coalesce(s.name, 'the event'), max(r.number)
    from result_revisions r left join stages s on s.id = r.stage_id
    where r.event_id = %s and r.state in ('official', 'amended')
    group by s.sort_order, s.name order by s.sort_order nulls last
"""


def official_revisions(event_id: UUID) -> list[str]:
    """ "Stage 1 (revision 3)", … : what is official already; nothing for none."""
    with connection.cursor() as cursor:
        cursor.execute(OFFICIAL, [event_id])
        return [f"{name} (revision {number})" for name, number in cursor.fetchall()]
