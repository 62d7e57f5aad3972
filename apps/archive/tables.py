"""What an event's archive holds, table by table, in the order in which rows may be written.

Readings (crossings, penalties, results, boards) are not in it: they are computed anew from what is, to the same
hashes. Nor are rights (memberships, tokens, passwords): whoever imports decides who may do what on that machine.
"""

from dataclasses import dataclass

ENTRIES = "select id from entries where event_id = %(event)s"
STAGES = "select id from stages where event_id = %(event)s"
ALERTS = "select id from alerts where event_id = %(event)s"
# Said by the event's organization to a tracker while that was the event's.
COMMANDS = f"""
    organization_id in (select organization_id from events where id = %(event)s) and exists (
        select from entry_devices a
        where a.device_id = commands.device_id and a.entry_id in ({ENTRIES})
          and commands.not_before >= a.assigned_from and commands.not_before < coalesce(a.assigned_until, 'infinity'))
"""
# Of a row that goes along under its id; a penalty keeps its id when it is computed anew.
COMMENTED = {
    "events": "select %(event)s::uuid", "entries": ENTRIES, "stages": STAGES, "alerts": ALERTS,
} | {
    name: f"select id from {name} where event_id = %(event)s"
    for name in ("classes", "geofences", "penalty_formulas", "decisions", "result_revisions")
} | {
    name: f"select id from {name} where entry_id in ({ENTRIES})"
    for name in ("entry_crew", "entry_devices", "timing_records", "entry_incidents", "entry_penalties")
} | {
    name: f"select id from {name} where stage_id in ({STAGES})"
    for name in ("segments", "start_lists", "start_overrides", "stage_closings", "entry_accountings")
}  # fmt: skip
COMMENTS = "organization_id in (select organization_id from events where id = %(event)s) and ({})".format(
    " or ".join(
        f"comments.\"table\" = '{name}' and comments.row in (select id::text from ({ids}) as {name}_ids (id))"
        for name, ids in COMMENTED.items()
    )
)
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
    union select author_id from race_log where event_id = %(event)s
    union select author_id from decisions where event_id = %(event)s
    union select revoked_by_id from decisions where event_id = %(event)s
    union select published_by_id from result_revisions where event_id = %(event)s
    union select author_id from acknowledgements where entry_id in ({ENTRIES})
    union select acknowledged_by_id from alerts where event_id = %(event)s
    union select owner_id from alerts where event_id = %(event)s
    union select closed_by_id from alerts where event_id = %(event)s
    union select author_id from alert_lines where alert_id in ({ALERTS})
    union select author_id from entry_accountings where stage_id in ({STAGES})
    union select withdrawn_by_id from entry_accountings where stage_id in ({STAGES})
    union select author_id from stage_closings where stage_id in ({STAGES})
    union select reopened_by_id from stage_closings where stage_id in ({STAGES})
    union select author_id from commands where {COMMANDS}
    union select author_id from comments where {COMMENTS}
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
    Table("race_control_settings", "event_id = %(event)s"),
    Table("race_log", "event_id = %(event)s"),
    Table("result_revisions", "event_id = %(event)s"),
    Table("acknowledgements", f"entry_id in ({ENTRIES})"),
    Table("safety_settings", "event_id = %(event)s"),
    Table("alerts", "event_id = %(event)s"),
    Table("alert_lines", f"alert_id in ({ALERTS})"),
    Table("entry_accountings", f"stage_id in ({STAGES})"),
    Table("stage_closings", f"stage_id in ({STAGES})"),
    # What still waits here is nothing to be sent from there.
    Table("commands", COMMANDS, instead=(("state", "case when sent_at is null then 'expired' else state end"),)),
    Table("comments", COMMENTS),
)
# What no archive holds, and why; a test fails for a table that is neither above nor here.
LEFT_OUT = {
    "computed anew from what is in the archive": (
        "entry_crossings", "entry_penalties", "stage_results", "event_results", "event_scoring_states",
        "entry_scoring_states", "outbox",
    ),
    "rights and ways in: whoever imports decides": (
        "organization_users", "organization_user_permissions", "organization_group_permissions", "auth_permission",
        "auth_group", "guardian_userobjectpermission", "guardian_groupobjectpermission", "api_tokens",
        "idempotency_keys", "django_session", "axes_accessattempt", "axes_accessattemptexpiration",
        "axes_accessfailurelog", "axes_accesslog",
    ),
    "settings of a machine or an organization, not of an event": (
        "django_content_type", "saved_views", "command_texts", "webhooks",
    ),
    "what was told to whom: nobody is told again there": ("domain_events", "webhook_deliveries"),
    "records that are no positions yet: replay them first": ("telemetry_deadletter",),
    "goes along to be read, as audit.jsonl; Django's own log says less of the same": ("audit_log", "django_admin_log"),
}  # fmt: skip

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
