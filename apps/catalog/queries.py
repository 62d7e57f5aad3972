"""The SQL of the tracker catalog as the decoder reads it."""

from collections.abc import Collection

from django.db import connection

from apps.catalog.domain.io import Element

# Two values that change with any committed write to a mapping or a device, by whatever door: every write gives a
# row a new xmin, and a deletion takes its share out of the sum.
VERSIONS = """
    select (select row(count(*), sum(uuid_hash_extended(id, xmin::text::bigint)::numeric)) from io_mappings)::text,
           (select row(count(*), sum(uuid_hash_extended(id, xmin::text::bigint)::numeric)) from devices)::text
"""


def versions() -> tuple[str, str]:
    """The versions of all mappings and of all devices. Raises django.db.OperationalError without PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute(VERSIONS)
        mappings, devices = cursor.fetchone()
        return mappings, devices


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
