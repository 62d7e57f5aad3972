"""What happened, one sentence per penalty type (and case): words around the inputs of the issued penalty."""

from collections.abc import Mapping

from apps.common.said import Said

# Keys are "type" or "type.case"; names in %()s are inputs, told with their units.
SENTENCES: Mapping[str, Said] = {
    "closed_control": Said(
        "the crew passed %(waypoint_type)s %(waypoint)s at %(passed_ts)s; it had closed at %(closes_ts)s."
    ),
    "cumulative_lateness.event": Said(
        "the crew was %(total_minutes)s late at the time controls of the event together, %(late_minutes)s of it here."
    ),
    "cumulative_lateness.leg": Said(
        "the crew was %(total_minutes)s late at the time controls of the leg together, %(late_minutes)s of it here."
    ),
    "cumulative_lateness.stage": Said(
        "the crew was %(total_minutes)s late at the time controls of the stage together."
    ),
    "dnf_lump": Said("the stage was not finished, or not finished in time."),
    "dns_lump": Said("the stage was not started; stage not started number %(count)s of the crew in this event."),
    "false_start": Said(
        "a false start was reported at %(reported_ts)s, number %(count)s of the crew in this event; "
        "time gained %(value_ms)s."
    ),
    "fixed_penalty": Said(
        "the stage was not finished, or not finished in time; the fixed penalty of the day is given once a leg."
    ),
    "incident": Said(
        "%(kind)s was reported at %(reported_ts)s, number %(count)s of its kind for the crew in this event."
    ),
    "late_start": Said("the crew started %(segment)s %(late_ms)s late: at %(actual_ts)s, assigned %(assigned_ts)s."),
    "maximum_time.liaison": Said(
        "the crew took %(driven_ms)s for liaison %(segment)s; at most %(maximum_ms)s are allowed."
    ),
    "maximum_time.special": Said(
        "the crew took %(driven_ms)s for special stage %(segment)s; at most %(maximum_ms)s are allowed."
    ),
    "missed_waypoint": Said(
        "the crew did not pass %(waypoint_type)s %(waypoint)s; miss number %(count)s of that type."
    ),
    "missed_waypoint.unproved": Said(
        "no tracker of the crew recorded anything between %(gap_begins_ts)s and %(gap_ends_ts)s, when it may have "
        "passed %(waypoint_type)s %(waypoint)s, at %(needed_kmh)s or faster."
    ),
    "neutralisation": Said(
        "the crew left the neutralisation %(segment)s at %(exit_ts)s; "
        "its earliest exit was %(earliest_exit_ts)s, so it was %(early_seconds)s early."
    ),
    "speed_zone": Said(
        "the crew drove up to %(peak_kmh)s in zone %(zone)s at %(peak_ts)s, where %(limit_kmh)s are allowed: "
        "%(excess_kmh)s over."
    ),
    "speed_zone.review": Said("the drive through zone %(zone)s, where %(limit_kmh)s are allowed, calls for a look."),
    "time_control.early": Said(
        "the crew checked in at %(control)s at %(recorded_ts)s, %(minutes)s min early; due %(due_ts)s."
    ),
    "time_control.late": Said(
        "the crew checked in at %(control)s at %(recorded_ts)s, %(minutes)s min late; due %(due_ts)s."
    ),
    "time_control.otl": Said(
        "the crew checked in at %(control)s at %(recorded_ts)s, %(minutes)s min late; due %(due_ts)s, "
        "and more than %(max_late_minutes)s late is out of time."
    ),
    "time_control.missed": Said("the crew did not visit %(control)s, where it was due at %(due_ts)s."),
    "waypoint_ratio": Said("the crew validated %(validated)s of %(total)s waypoints, fewer than %(minimum_percent)s."),
}

# Of a case that is called otherwise than its type.
TITLES: Mapping[str, Said] = {"missed_waypoint.unproved": Said("Waypoint not proved")}

STATUSES: Mapping[str, Said] = {
    "dnf": Said("the stage counts as not finished"),
    "dns": Said("the stage counts as not started"),
    "dsq": Said("the crew is disqualified"),
    "nc": Said("the crew is out of the classification"),
    "otl": Said("the stage counts as out of time"),
}

SCOPES: Mapping[str, Said] = {
    "overall": Said("overall"),
    "stage": Said("stage"),
    "start_order": Said("start order"),
}
