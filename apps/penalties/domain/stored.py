"""What is stored with a penalty in English, in its arithmetic and its reviews, as phrases that can be told.

The stored text is evidence and stays as it is: revisions freeze it. What is not here is shown as it stands there.
"""

from apps.common.said import Listed, Said, phrased

PHRASES = (
    Said("bracket of"),
    Said("occurrence"),
    Said("min after closing"),
    Said("min over"),
    Said("min late, limit"),
    Said("min late in all"),
    Said("out of time"),
    Said("not visited"),
    Said("not started"),
    Said("missed"),
    Said("not proved"),
    Said("no tracker recorded when it may have been passed: an official decides"),
    Said("lump"),
    Said("stage penalty"),
    Said("maximum time"),
    Said("fixed penalty of the day"),
    Said("rejected"),
    Said("given back"),
    Said("flat"),
    Said("infringement"),
    Said("of the stage"),
    Said("of the leg"),
    Said("of the event"),
    Said("capped at"),
    Said("waypoints, below"),
    Said("over"),
    Said("no pulse"),
    Said("pulses"),
    Said("s over the limit, each at its bracket's rate"),
    Said("no bracket for this excess"),
    Said("no bracket for this occurrence: the clerk of the course decides"),
    Said("already given in this leg"),
    Said("no maximum time set"),
    Said("the day was started: an official says what this stage costs"),
    Said("no rule says what a missed control costs"),
    Said("no manual record: the check-in is the marshal's, not the entry into the control area"),
    Said("single fix over the limit"),
    Said("tracker"),
    Said("differs:"),
    Said("km/h over, not"),
    Said("DZ missed: zone not enforced"),
    Said("DZ missed: enforced from the next waypoint"),
)


def stored(text: str) -> Listed:
    return phrased(text, PHRASES)
