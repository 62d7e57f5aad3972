"""The race day minute by minute (rulebook 9.3): every task of it with the page where it is done.

The one list behind the start page, docs/officials.md and the test that clicks each of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.desk.place import Place


@dataclass(frozen=True, slots=True)
class Duty:
    """A task of the race day: `page` and `query` lead to where it is done, `needs` is what the policy is asked.

    A page with a colon is one of the event's live pages; the others are the desk's own.
    """

    name: str
    text: Any
    page: str
    query: tuple[tuple[str, str], ...] = ()
    needs: tuple[str, str] = ("view", "timing_records")


@dataclass(frozen=True, slots=True)
class Hour:
    """A time of the race day and what is done then."""

    when: Any
    duties: tuple[Duty, ...]


RECORD, DECIDE, PUBLISH, SEED = ("record_time", ""), ("decide", ""), ("publish", ""), ("seed", "")
LOG = ("view", "race_log")

DAY: tuple[Hour, ...] = (
    Hour(
        _("The evening before"),
        (
            Duty("course", _("Draw the course, prove it with a track"), "course"),
            Duty("approve-order", _("Approve the order, reposition crews"), "starts", needs=SEED),
            Duty("start-list", _("Publish the start list"), "starts", needs=("open_stage", "")),
        ),
    ),
    Hour(
        _("2 h before"),
        (
            Duty("devices", _("Check every tracker"), "trackers"),
            Duty("missing-devices", _("Missing trackers"), "trackers", (("show", "missing"),)),
            Duty("course-cars", _("Opening crew on course"), "trackers", (("show", "course-cars"),)),
        ),
    ),
    Hour(
        _("1 h before"),
        (Duty("ready", _("Go or no-go: medical, sweep, timing"), "control", (("do", "ready"),), needs=LOG),),
    ),
    Hour(_("15 min before"), (Duty("posts", _("Open the controls: pick yours"), "timing", (), RECORD),)),
    Hour(
        _("Start"),
        (
            Duty("line-up", _("Line up and start the next crews"), "timing", (("at", "start"),), RECORD),
            Duty("hold", _("Hold the starts, release them"), "control", needs=LOG),
            Duty("false-start", _("Report a false start"), "control", (("do", "false-start"),), LOG),
            Duty("late", _("Who is late at the start"), "stage", (("show", "overdue"),)),
            Duty("status", _("Did not start, did not finish: decide"), "decisions", (("make", "set_status"),), DECIDE),
        ),
    ),
    Hour(
        _("On course"),
        (
            Duty("times", _("Enter times of a control"), "timing", (), RECORD),
            Duty("confirm-times", _("Times in doubt: accept or edit"), "review", (("kind", "time"),)),
            Duty("log", _("Write the race-control log"), "control", needs=LOG),
            Duty("map", _("The field on the map"), "live:map"),
            Duty("alerts", _("Safety desk: alerts in hand, worst first"), "safety", needs=("view", "alerts")),
            Duty("alarms", _("Race control: SOS, stops, silence"), "live:control"),
            Duty("overdue", _("Overdue crews"), "stage", (("show", "overdue"),)),
            Duty("stopped", _("Stopped for 3 minutes"), "stage", (("show", "stopped"),)),
            Duty("speed", _("Speed zones"), "review", (("kind", "speed"),)),
            Duty("faulty", _("Flag faulty fixes"), "positions"),
        ),
    ),
    Hour(
        _("Incident"),
        (
            Duty("red", _("Red signal: stop the stage, restart it"), "control", needs=LOG),
            Duty("report", _("Report an incident, with crew and place"), "control", (("do", "incident"),), LOG),
            Duty("incident", _("Stop: who is still on course"), "stage", (("show", "on-course"),)),
            Duty(
                "notional", _("Award a notional time, give time back"), "decisions", (("make", "time_credit"),), DECIDE
            ),
        ),
    ),
    Hour(
        _("Close"),
        (
            Duty("close", _("Nobody left on course without a cause"), "stage", (("show", "on-course"),)),
            Duty("close-stage", _("Close the stage"), "safety", needs=("view", "alerts")),
        ),
    ),
    Hour(
        _("15 min after"),
        (
            Duty("waypoints", _("Missed waypoints"), "review", (("kind", "waypoint"),)),
            Duty("contradictions", _("Contradictions: settle them with a reason"), "review", (("kind", "conflict"),)),
            Duty("queue", _("The whole review queue"), "review"),
        ),
    ),
    Hour(
        _("45 min to 2 h after"),
        (
            Duty("unofficial", _("Publish unofficial results"), "results", needs=PUBLISH),
            Duty("provisional", _("Publish provisional results: the protest clock runs"), "results", needs=PUBLISH),
            Duty("papers", _("Print classification and penalties"), "results", needs=("view", "result_revisions")),
        ),
    ),
    Hour(
        _("Protest time over"),
        (
            Duty("protests", _("Take protests, say how they were heard"), "control", (("do", "protest"),), LOG),
            Duty("stewards", _("Enter the stewards' decisions"), "decisions", needs=DECIDE),
            Duty("official", _("Publish official results"), "results", needs=PUBLISH),
            Duty("print-log", _("Print the race-control log"), "control", needs=LOG),
            Duty("next-list", _("Next stage's start list"), "starts", (("next", "1"),), SEED),
        ),
    ),
)


def duties() -> Iterator[Duty]:
    """All of the day's tasks, in order."""
    return (duty for hour in DAY for duty in hour.duties)


def day_of(place: Place) -> list[tuple[Any, list[tuple[Duty, str]]]]:
    """The day as this user may do it: (time, [(task, address)]); a time with nothing to do is left out."""
    mine = [(hour.when, [(d, address(place, d)) for d in hour.duties if place.may(*d.needs)]) for hour in DAY]
    return [(when, links) for when, links in mine if links]


def address(place: Place, duty: Duty) -> str:
    """Where a task is done."""
    if ":" in duty.page:
        return reverse(duty.page, args=[place.event.organization.slug, place.event.slug])
    query = dict(duty.query)
    if query.pop("next", ""):
        following = [one for one in place.stages if place.stage and one.starts_at > place.stage.starts_at]
        query |= {"stage": str(following[0].sort_order)} if following else {}
    return place.link(duty.page, **query)
