"""The checklist to ask an organiser before the event (rulebook §11), by key and in its order."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

QUESTIONS: dict[str, str | Promise] = {
    "waypoint_radii": _("Waypoint radii per type; tolerance; may crews go back?"),
    "waypoint_penalties": _("Penalty per waypoint type and class; 70 % rule on or off."),
    "speed": _("Speed limits, margins, tolerance, pulse rule, brackets with exact edges, maths, repeat, fine or time."),
    "time_controls": _("Early and late rates, maximum lateness, early check-in free?"),
    "maximum_times": _("Maximum time of a special stage per class; what happens above it."),
    "lumps": _("DNF and DNS lumps, how many re-entries, complete crews first?"),
    "rounding": _("Rounding to the second or the tenth."),
    "tie_rule": _("Tie rule."),
    "start_order": _("Start order per stage, intervals, gaps; does the prologue count, with which multiplier?"),
    "applies_to": _("Which penalties touch stage, overall, start order."),
    "neutralisation": _("Neutralisation: time allotted and the penalty for leaving early."),
    "protest_time": _("Protest time."),
    "safety": _("Meaning of the buttons, phone numbers, sweep rules."),
    "sources": _("Which source wins: card, beam, GPS."),
}
