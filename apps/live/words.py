"""What the pages' modules say, in the visitor's language: put into the page as JSON."""

from typing import Any

from django.utils.translation import gettext as _

from apps.penalties.domain.evaluate import EVALUATORS
from apps.safety.models import KINDS
from apps.scoring.models import ResultStatus


def connection_words() -> dict[str, Any]:
    return {
        "connecting": _("Connecting…"),
        "live": _("Live"),
        "lost": _("Reconnecting…"),
        "refused": _("Live updates ended. Reload the page."),
    }


def board_words() -> dict[str, Any]:
    return (
        connection_words()
        | {
            "leader": _("New leader: {number} {crew}"),
            "fewer": _("fewer stages"),
            "statuses": {str(value): str(label) for value, label in ResultStatus.choices},
            "pending": _("Pending"),
            "pendingHint": _("Has penalties that are not confirmed yet"),
            "virtual": _("≈{rank}. at {control}"),
            "virtualHint": _("Expected rank, by the time at {control}; not a result. Data {age} old."),
            "details": _("Splits and penalties of {number}"),
            "splits": _("Splits"),
            "control": _("Control"),
            "time": _("Time"),
            "gap": _("Gap"),
            "rank": _("Rank"),
            "penalties": _("Penalties"),
            "noSplits": _("No split times yet."),
            "noPenalties": _("No penalties."),
            "penaltyStatuses": penalty_statuses(),
            "penaltyTitles": {name: _(evaluator.title) for name, evaluator in EVALUATORS.items()},
            "evidence": _("Evidence"),
            "dataAge": _("Last position {age} ago"),
            "page": _("Page {page} of {pages}"),
        }
        | age_words()
    )


def penalty_statuses() -> dict[str, str]:
    return {
        "proposed": _("pending"),
        "confirmed": _("confirmed"),
        "waived": _("waived"),
        "imposed": _("imposed"),
    }


def age_words() -> dict[str, Any]:
    return {"ages": {"s": _("{n} s"), "m": _("{n} min"), "h": _("{n} h"), "d": _("{n} d")}}


def map_words() -> dict[str, Any]:
    return connection_words() | age_words() | {
        "follow": _("Follow {number}"),
        "followed": _("Following {number} {crew}"),
        "unfollowed": _("Following nobody"),
        "speed": _("{n} km/h"),
        "ago": _("{age} ago"),
        "unseen": _("no position"),
        "noCourse": _("The course could not be loaded."),
        "controls": {
            "NavigationControl.ZoomIn": _("Zoom in"),
            "NavigationControl.ZoomOut": _("Zoom out"),
            "NavigationControl.ResetBearing": _("North up"),
            "ScaleControl.Meters": "m",
            "ScaleControl.Kilometers": "km",
            "Map.Title": _("Map of the rally"),
        },
    }  # fmt: skip


def replay_words() -> dict[str, Any]:
    return map_words() | {
        "play": _("Play"),
        "pause": _("Pause"),
        "loading": _("Loading the tracks…"),
        "failed": _("The tracks could not be loaded."),
        "nothing": _("No tracks of this stage."),
        "finished": _("finished"),
    }


def control_words() -> dict[str, Any]:
    return connection_words() | age_words() | {
        "states": {
            "no-tracker": _("no tracker"),
            "idle": _("not on a stage"),
            "moving": _("under way"),
            "stopped": _("stopped"),
            "silent": _("silent"),
            "no-coverage": _("no coverage"),
        },
        "alerts": {kind: str(label) for kind, label in KINDS},
        "sos": _("SOS"),
            "sosOf": _("SOS of {number} {crew}!"),
        "acknowledge": _("Acknowledge"),
        "acknowledged": _("seen by {name}"),
        "notSaved": _("Not saved. Try again."),
        "overdue": _("overdue by {age}"),
        "due": _("due in {age}"),
        "since": _("for {age}"),
        "fix": _("position {age} old"),
        "none": _("Nobody."),
        "frozen": {"held": _("{stage}: starts held {age}"), "red": _("{stage}: RED SIGNAL {age}")},
    }  # fmt: skip
