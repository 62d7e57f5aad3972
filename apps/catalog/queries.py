"""The SQL of the tracker catalog as the decoder reads it."""

from collections.abc import Collection

from django.db import connection

from apps.catalog.domain.io import Element

# One value that changes with any committed write to a device or a mapping, by whatever door: every write gives a
# row a new xmin, and a deletion takes its share out of the sum.
FINGERPRINT = """
    select (select row(count(*), sum(uuid_hash_extended(id, xmin::text::bigint)::numeric)) from io_mappings)::text
        || (select row(count(*), sum(uuid_hash_extended(id, xmin::text::bigint)::numeric)) from devices)::text
"""


def fingerprint() -> str:
    """The version of all devices and mappings. Raises django.db.OperationalError when PostgreSQL is away."""
    with connection.cursor() as cursor:
        cursor.execute(FINGERPRINT)
        return str(cursor.fetchone()[0])


# The mapping of every device model.
ELEMENTS = """
    select device_model_id::text, io_id, name, kind, value_type, scale, "offset" from io_mappings
"""


def elements() -> dict[str, list[Element]]:
    """The IO elements by the id of their device model."""
    found: dict[str, list[Element]] = {}
    with connection.cursor() as cursor:
        cursor.execute(ELEMENTS)
        for model, *fields in cursor.fetchall():
            found.setdefault(model, []).append(Element(*fields))
    return found


# The device models of these IMEIs; an unknown one has no row.
MODELS_OF = "select imei, model_id::text from devices where imei = any(%s)"


def models_of(imeis: Collection[str]) -> dict[str, str]:
    """IMEI to the id of its device model."""
    with connection.cursor() as cursor:
        cursor.execute(MODELS_OF, [list(imeis)])
        return dict(cursor.fetchall())
