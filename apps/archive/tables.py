"""What an event's archive holds, table by table, in the order in which rows may be written.

Readings (crossings, penalties, results, boards) are not in it: they are computed anew from what is, to the same
hashes. Nor are rights (memberships, tokens, passwords): whoever imports decides who may do what on that machine.
"""

from dataclasses import dataclass

ENTRIES = "select id from entries where event_id = %(event)s"
STAGES = "select id from stages where event_id = %(event)s"
# Every column by which a table of the event names a person.
PEOPLE = f"""
    select user_id from entry_crew where entry_id in ({ENTRIES})
    union select assigned_user_id from entry_devices where entry_id in ({ENTRIES})
    union select author_id from timing_records where entry_id in ({ENTRIES})
    union select withdrawn_by_id from timing_records where entry_id in ({ENTRIES})
    union select author_id from start_overrides where stage_id in ({STAGES})
    union select revoked_by_id from start_overrides where stage_id in ({STAGES})
    union select author_id from start_lists where stage_id in ({STAGES})
    union select author_id from profile_uses where event_id = %(event)s
    union select answered_by_id from rule_answers where event_id = %(event)s
    union select author_id from entry_incidents where entry_id in ({ENTRIES})
    union select author_id from decisions where event_id = %(event)s
    union select revoked_by_id from decisions where event_id = %(event)s
    union select published_by_id from result_revisions where event_id = %(event)s
    union select author_id from acknowledgements where entry_id in ({ENTRIES})
"""
ORGANIZATION = "select organization_id from events where id = %(event)s"
SEGMENTS = f"select id from segments where stage_id in ({STAGES})"
DEVICES = f"select device_id from entry_devices where entry_id in ({ENTRIES})"
VEHICLES = "select vehicle_id from entries where event_id = %(event)s"
MODELS = f"select model_id from devices where id in ({DEVICES})"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of `name` that `where` selects; `shared` ones may be there already, on a machine with other events.

    `known_by` are the columns by which people know a row: two with the same and different ids clash. `instead` has
    what is written in place of a column: what must not travel.
    """

    name: str
    where: str
    shared: bool = False
    known_by: tuple[str, ...] = ()
    instead: tuple[tuple[str, str], ...] = ()


TABLES = (
    Table("organizations", f"id in ({ORGANIZATION})", shared=True, known_by=("slug",)),
    Table(
        "users",
        f"id in ({PEOPLE})",
        shared=True,
        known_by=("email",),
        # Nobody signs in, or has rights, by a file.
        instead=(("password", "'!'"), ("is_staff", "false"), ("is_superuser", "false"), ("last_login", "null")),
    ),
    Table("device_models", f"id in ({MODELS})", shared=True, known_by=("name",)),
    Table("io_mappings", f"device_model_id in ({MODELS})", shared=True, known_by=("device_model_id", "io_id")),
    Table("devices", f"id in ({DEVICES})", shared=True, known_by=("imei",)),
    Table("vehicles", f"id in ({VEHICLES})", shared=True),
    Table("organization_devices", f"organization_id in ({ORGANIZATION}) and device_id in ({DEVICES})", shared=True),
    Table("organization_vehicles", f"organization_id in ({ORGANIZATION}) and vehicle_id in ({VEHICLES})", shared=True),
    Table("events", "id = %(event)s", known_by=("organization_id", "slug")),
    Table("classes", "event_id = %(event)s"),
    Table("entries", "event_id = %(event)s"),
    Table("entry_crew", f"entry_id in ({ENTRIES})"),
    Table("entry_devices", f"entry_id in ({ENTRIES})"),
    Table("stages", "event_id = %(event)s"),
    Table("geofences", "event_id = %(event)s"),
    Table("segments", f"stage_id in ({STAGES})"),
    Table("waypoints", f"segment_id in ({SEGMENTS})"),
    Table("speed_limit_zones", f"segment_id in ({SEGMENTS})"),
    Table("profile_uses", "event_id = %(event)s"),
    Table("rule_answers", "event_id = %(event)s"),
    Table("penalty_formulas", "event_id = %(event)s"),
    Table("entry_segment_starts", f"entry_id in ({ENTRIES})"),
    Table("timing_records", f"entry_id in ({ENTRIES})"),
    Table("start_overrides", f"stage_id in ({STAGES})"),
    Table("start_lists", f"stage_id in ({STAGES})"),
    Table("entry_incidents", f"entry_id in ({ENTRIES})"),
    Table("decisions", "event_id = %(event)s"),
    Table("result_revisions", "event_id = %(event)s"),
    Table("acknowledgements", f"entry_id in ({ENTRIES})"),
)

# When which tracker was the event's, as assigned now and as frozen in revisions: what any recompute may look at.
WINDOWS = f"""
    create temp table archive_windows on commit drop as
    select d.imei as device, a.assigned_from as low, coalesce(a.assigned_until, 'infinity') as high
    from entry_devices a join devices d on d.id = a.device_id where a.entry_id in ({ENTRIES})
    union
    select c ->> 'device', to_timestamp((c ->> 'low')::bigint / 1000.0), to_timestamp((c ->> 'high')::bigint / 1000.0)
    from result_revisions r, jsonb_path_query(r.snapshot, '$.inputs.entries.*.carried[*]') c
    where r.event_id = %(event)s
"""
POSITIONS = """
    exists (select from archive_windows w where w.device = positions.device_id and ts between w.low and w.high)
"""
# What a recompute elsewhere has to come to.
EXPECTED = f"""
    select entry_id::text, stage_id::text, status, total_ms, penalty_ms, rank, inputs_hash
    from stage_results where entry_id in ({ENTRIES}) order by 1, 2
"""
