"""Empties the tables after a test that commits, many times faster than Django's TRUNCATE of all of them."""

from django.core.management import call_command
from django.db import connection, transaction

# Django's flush takes these away and makes them again.
KEPT = frozenset({"django_content_type", "auth_permission"})


def empty_tables() -> None:
    """Delete the rows of every model, in no order: no key is checked and no trigger fires meanwhile.

    TRUNCATE makes new files for each table and each index, whether there was a row or not. Only a superuser of the
    server may delete like this; for anybody else it is Django's way.
    """
    with connection.cursor() as cursor:
        cursor.execute("select rolsuper from pg_roles where rolname = current_user")
        allowed = cursor.fetchone()
    if allowed == (True,):
        _delete()
    else:
        call_command("flush", verbosity=0, interactive=False)


def _delete() -> None:
    quote = connection.ops.quote_name
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [quote(name) for name in names if name not in KEPT]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select " + ", ".join(f"exists(select 1 from {table})" for table in tables))
        filled = [table for table, has_rows in zip(tables, cursor.fetchone() or (), strict=True) if has_rows]
        cursor.execute("set local session_replication_role = replica")
        for table in filled:
            cursor.execute(f"delete from {table}")
