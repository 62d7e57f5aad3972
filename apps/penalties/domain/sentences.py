"""What happened, one sentence per penalty type (and case): words around the inputs of the issued penalty."""

from collections.abc import Mapping

# Keys are "type" or "type.case"; names in braces are inputs, told with their units.
SENTENCES: Mapping[str, str] = {
    "closed_control": "the crew passed {waypoint_type} {waypoint} at {passed_ts}; it had closed at {closes_ts}.",
    "dnf_lump": "the stage was not finished, or not finished in time.",
    "dns_lump": "the stage was not started; stage not started number {count} of the crew in this event.",
    "false_start": "a false start was reported at {reported_ts}, number {count} of the crew in this event; "
    "time gained {value_ms}.",
    "fixed_penalty": "the stage was not finished, or not finished in time; "
    "the fixed penalty of the day is given once a leg.",
    "incident": "{kind} was reported at {reported_ts}, number {count} of its kind for the crew in this event.",
    "late_start": "the crew started {segment} {late_ms} late: at {actual_ts}, assigned {assigned_ts}.",
    "maximum_time.liaison": "the crew took {driven_ms} for liaison {segment}; at most {maximum_ms} are allowed.",
    "maximum_time.special": "the crew took {driven_ms} for special stage {segment}; at most {maximum_ms} are allowed.",
    "missed_waypoint": "the crew did not pass {waypoint_type} {waypoint}; miss number {count} of that type.",
    "neutralisation": "the crew left the neutralisation {segment} at {exit_ts}; "
    "its earliest exit was {earliest_exit_ts}, so it was {early_seconds} early.",
    "speed_zone": "the crew drove up to {peak_kmh} in zone {zone} at {peak_ts}, where {limit_kmh} are allowed: "
    "{excess_kmh} over.",
    "speed_zone.review": "the drive through zone {zone}, where {limit_kmh} are allowed, calls for a look.",
    "time_control.early": "the crew checked in at {control} at {recorded_ts}, {minutes} min early; due {due_ts}.",
    "time_control.late": "the crew checked in at {control} at {recorded_ts}, {minutes} min late; due {due_ts}.",
    "time_control.otl": "the crew checked in at {control} at {recorded_ts}, {minutes} min late; due {due_ts}, "
    "and more than {max_late_minutes} late is out of time.",
    "waypoint_ratio": "the crew validated {validated} of {total} waypoints, fewer than {minimum_percent}.",
}

STATUSES: Mapping[str, str] = {
    "dnf": "the stage counts as not finished",
    "dns": "the stage counts as not started",
    "dsq": "the crew is disqualified",
    "nc": "the crew is out of the classification",
    "otl": "the stage counts as out of time",
}
