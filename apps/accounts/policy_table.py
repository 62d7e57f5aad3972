"""Who may do what: the one table every door reads (through `apps.accounts.policy`).

A cell names actions, each with a mark when there is a condition:

    v view   a add   c change   d delete        x the act of that row
    (none)   every row of the organization
    !        only while the event is active: from its start to its end, EVENT_ACTIVE_MARGIN_HOURS wider on both sides
    +        only what is the user's own: the entries of whose crew they are, or the person they are
    *        only what is published
    ^        only what audiences are told by now (`public_delay_seconds` of the event), and one's own
    ~        only what is published, of a public event, and told by now

What no cell grants is refused. `anyone` counts for all: visitors without an account, members of other organizations
and the suspended. Superusers stand above the table. A row that several organizations share is read with the right
in one of them, and written only with the right in each.
"""

from dataclasses import dataclass

ANYONE = "anyone"

RESOURCES = """
resource              org-admin  race-director  timekeeper  marshal   participant  viewer   anyone
organizations         vc         v              v           v         v            v        .
organization_users    vacd       v              v           v         v+           v        .
users                 vac        vac+           vc+         vc+       v+c+         vc+      v~
vehicles              vacd       vacd           v           v         v+           v        v~
organization_vehicles vacd       vacd           v           v         .            v        .
devices               vacd       vacd           v           v         .            .        .
organization_devices  vacd       vacd           v           v         .            .        .
device_models         v          v              v           v         .            v        .
io_mappings           v          v              v           v         .            v        .
events                vacd       vc             v           v         v            v        v~
classes               vacd       vacd           v           v         v            v        v~
entries               vacd       vacd           v           v         v            v        v~
entry_crew            vacd       vacd           v           v         v            v        v~
entry_devices         vacd       vacd           v           v         v+           .        .
stages                vacd       vacd           v           v         v            v        v~
segments              vacd       vacd           v           v         v            v        v~
geofences             vacd       vacd           v           v         .            v        .
waypoints             vacd       vacd           v           v         .            v        .
speed_limit_zones     vacd       vacd           v           v         .            v        .
penalty_formulas      vacd       vacd           v           v         v            v        .
profile_uses          v          v              v           v         .            v        .
rule_answers          vacd       vacd           v           v         .            v        .
entry_segment_starts  vacd       vacd           vacd        v         v^           v^       v~
start_overrides       vac        vac            vac         v         v+           v        .
start_lists           vacd       vacd           vacd        v         v*           v*       v~
entry_crossings       v          v              v           v         v+           v        .
timing_records        va         va             va          va!       v+           v        .
entry_incidents       vac        vac            va          va!       v+           v        .
decisions             vac        vac            v           v         v+           v        .
entry_penalties       v          v              v           v         v^           v^       v~
stage_results         v          v              v           v         v^           v^       v~
event_results         v          v              v           v         v^           v^       v~
result_revisions      va         va             v           v         v            v        v~
positions             v          v              v           v         v            v        v~
acknowledgements      va         va             va          va!       .            .        .
commands              va         va             v           v         .            .        .
command_texts         v          v              v           v         .            .        .
safety_settings       vacd       vacd           v           v         .            .        .
alerts                vc         vc             vc          vc!       .            .        .
alert_lines           v          v              v           v         .            .        .
entry_accountings     va         va             v           va!       .            .        .
stage_closings        v          v              v           v         .            .        .
race_log              va         va             va          va!       .            .        .
race_control_settings vacd       vacd           v           v         .            .        .
comments              va         va             va          va        .            .        .
saved_views           vacd       vacd           v+a+c+d+    v+a+c+d+  .            .        .
audit_log             v          v              .           .         .            .        .
dry_runs              vad        vad            .           .         .            .        .
webhooks              vacd       v              .           .         .            .        .
webhook_deliveries    vc         v              .           .         .            .        .
domain_events         v          v              v           .         .            .        .
dead_letters          .          .              .           .         .            .        .
api_tokens            .          .              .           .         .            .        .
idempotency_keys      .          .              .           .         .            .        .
outbox                .          .              .           .         .            .        .
event_scoring_states  .          .              .           .         .            .        .
entry_scoring_states  .          .              .           .         .            .        .
"""

# Asked of the event, or of any row that belongs to it; `manage_members` and `send_command` of an organization.
ACTS = """
act                   org-admin  race-director  timekeeper  marshal   participant  viewer   anyone
flag_faulty           x          x              .           x!        .            .        .
record_time           x          x              x           x!        .            .        .
note                  x          x              x           x!        .            .        .
decide                x          x              .           .         .            .        .
publish               x          x              .           .         .            .        .
rescore               x          x              .           .         .            .        .
dry_run               x          x              .           .         .            .        .
open_stage            x          x              x           .         .            .        .
close_stage           x          x              .           .         .            .        .
report_ready          x          x              x           x!        .            .        .
hold_start            x          x              .           .         .            .        .
stop_stage            x          x              .           .         .            .        .
hear_protest          x          x              .           .         .            .        .
seed                  x          x              x           .         .            .        .
closing_times         x          x              x           .         .            .        .
copy_crew             x          x              .           .         .            .        .
import                x          x              .           .         .            .        .
export                x          x              x           .         .            .        .
revert                x          x              .           .         .            .        .
send_command          x          x              .           .         .            .        .
manage_members        x          .              .           .         .            .        .
replay_dead_letters   .          .              .           .         .            .        .
"""

# How much of a row a role reads: `public` fields; `internal` = all but the personal ones; `personal` = all.
# A participant reads all of what is their own.
READS = {
    "org-admin": "personal",
    "race-director": "personal",
    "timekeeper": "personal",
    "marshal": "personal",
    "participant": "public",
    "viewer": "internal",
    ANYONE: "public",
}

# Read within the organization by those who need it, and by the person it is about.
PERSONAL = {
    "users": "email phone birth_date last_login",
    "vehicles": "vin plate",
    "devices": "imei serial_number",
    "entry_crossings": "device",
    "positions": "device_id attributes decoded_attributes",
    "entry_devices": "device assigned_user",
    "alerts": "device",
    "audit_log": "old new",
}
SECRET = {"users": "password", "webhooks": "secret previous_secret"}  # read by nobody, at no door
# Changed by superusers alone.
GUARDED = {"users": "password is_superuser groups user_permissions last_login"}

PUBLIC = {
    "users": "id first_name last_name nationality",
    "vehicles": "id make model year cc",
    "events": "id organization name slug discipline starts_at ends_at time_zone is_public regulation_doc_url",
    "classes": "id event code name description group sort_order",
    "entries": "id event vehicle race_class race_number status competing team crew",
    "entry_crew": "id entry user role",
    "stages": "id event name sort_order role starts_at start_interval_seconds",
    "segments": "id stage name sort_order type target_duration_seconds maximum_duration_seconds bogey_duration_seconds"
    " scheduled_at",
    "penalty_formulas": "id event type target offence_min offence_max operator penalty bracket_mode applies_to article",
    "entry_segment_starts": "id entry segment start_position target_at actual_at",
    "start_lists": "id stage version state rows published_at hash",
    "entry_penalties": "id entry stage type seconds applies_to status article",
    "stage_results": "id entry stage status time_ms penalty_ms total_ms rank class_rank splits last_control",
    "event_results": "id entry event status time_ms penalty_ms total_ms rank class_rank completed_stages",
    "result_revisions": "id event stage number state protest_until created_at hash",
    "positions": "entry_id race_number ts latitude longitude altitude angle speed",
    "organizations": "id name slug",
    "organization_users": "id organization user role",
}
# Fields of what is no model.
COLUMNS = {
    "positions": f"{PUBLIC['positions']} {PERSONAL['positions']} ingested_at satellites priority codec faulty",
}

# What a topic of the live channel shows (contracts §4).
TOPICS = {
    "event": "positions",
    "leaderboard": "event_results",
    "expected": "event_results",
    "race-control": "alerts",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """How a row leads to its organizations, event and owner: lookups as in a queryset, empty where there is none.

    `crew` leads to the entry whose crew owns the row, `person` to the user. `published` is a field and the value it
    has when published. `told`: since which instant audiences may know of it, if it has one; they are told late.
    `shared`: the row belongs to no organization by itself; `organizations` lead to many.
    """

    event: str = ""
    organizations: tuple[str, ...] = ()
    crew: str = ""
    person: str = ""
    published: tuple[str, str] | None = None
    told: str = ""
    shared: bool = False


def _of_event(path: str = "event", **more: str) -> Scope:
    return Scope(path, (f"{path}__organization",), **more)  # type: ignore[arg-type]


_OF_ENTRY = _of_event("entry__event", crew="entry")
# A row has its last state alone: of an event that tells late the boards, which have older ones, say how it stands.
_RESULT = _of_event("entry__event", crew="entry", told="entry__event__ends_at")

SCOPES = {
    "organizations": Scope(organizations=("pk",)),
    "organization_users": Scope(organizations=("organization",), person="user"),
    "users": Scope(
        "crew_links__entry__event",
        ("memberships__organization", "crew_links__entry__event__organization"),
        person="pk",
        shared=True,
    ),
    "vehicles": Scope(
        "entries__event",
        ("organization_links__organization", "entries__event__organization"),
        crew="entries",
        shared=True,
    ),
    "organization_vehicles": Scope(organizations=("organization",)),
    "devices": Scope(
        "entry_links__entry__event",
        ("organization_links__organization", "entry_links__entry__event__organization"),
        crew="entry_links__entry",
        shared=True,
    ),
    "organization_devices": Scope(organizations=("organization",)),
    "device_models": Scope(),
    "io_mappings": Scope(),
    "events": Scope("pk", ("organization",)),
    "classes": _of_event(),
    "entries": _of_event(crew="pk"),
    "entry_crew": _OF_ENTRY,
    "entry_devices": _OF_ENTRY,
    "stages": _of_event(),
    "segments": _of_event("stage__event"),
    "geofences": _of_event(),
    "waypoints": _of_event("segment__stage__event"),
    "speed_limit_zones": _of_event("segment__stage__event"),
    "penalty_formulas": _of_event(),
    "profile_uses": _of_event(),
    "rule_answers": _of_event(),
    "entry_segment_starts": _of_event("entry__event", crew="entry", told="actual_at"),
    "start_overrides": _of_event("stage__event", crew="entry"),
    "start_lists": Scope("stage__event", ("stage__event__organization",), published=("state", "published")),
    "entry_crossings": _OF_ENTRY,
    "timing_records": _OF_ENTRY,
    "entry_incidents": _OF_ENTRY,
    "decisions": _of_event(crew="entry"),
    "entry_penalties": _of_event("entry__event", crew="entry", told="created_at"),
    "stage_results": _RESULT,
    "event_results": _RESULT,
    "result_revisions": _of_event(),
    "positions": Scope(),
    "acknowledgements": _OF_ENTRY,
    "commands": Scope(organizations=("organization",)),
    "command_texts": Scope(),
    "safety_settings": _of_event(),
    "alerts": _of_event(),
    "alert_lines": _of_event("alert__event"),
    "entry_accountings": _of_event("stage__event"),
    "stage_closings": _of_event("stage__event"),
    "race_log": _of_event(),
    "race_control_settings": _of_event(),
    "comments": Scope(organizations=("organization",)),
    "saved_views": Scope(organizations=("organization",), person="author"),
    "audit_log": Scope(organizations=("organization",)),
    "dry_runs": _of_event(),
    "webhooks": Scope("event", ("organization",)),
    "webhook_deliveries": Scope(organizations=("webhook__organization",)),
    "domain_events": _of_event(),
    "dead_letters": Scope(),
    "api_tokens": Scope(person="user"),
    "idempotency_keys": Scope(person="user"),
    "outbox": Scope(),
    "event_scoring_states": _of_event(),
    "entry_scoring_states": _OF_ENTRY,
}
