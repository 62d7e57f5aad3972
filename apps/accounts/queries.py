"""What the policy reads, as SQL: it is asked in every request, and the ORM would cost more than the query."""

from typing import NamedTuple
from uuid import UUID

from django.db import connection


class Membership(NamedTuple):
    superuser: bool
    organization_id: UUID | None
    role: str | None


# No row for a user who is suspended or gone; one without organization for a user who is in none.
MEMBERSHIPS = """
    select u.is_superuser, m.organization_id, m.role
    from users u left join organization_users m on m.user_id = u.id and not m.suspended
    where u.id = %s and u.is_active
"""

ENTRIES_OF_CREW = "select entry_id from entry_crew where user_id = %s"


def memberships(user_id: UUID) -> list[Membership]:
    with connection.cursor() as cursor:
        cursor.execute(MEMBERSHIPS, [user_id])
        return [Membership(*row) for row in cursor.fetchall()]


def entries_of_crew(user_id: UUID) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES_OF_CREW, [user_id])
        return [row[0] for row in cursor.fetchall()]
