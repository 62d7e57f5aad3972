"""The scorer's sentences in the official's language. The domain knows no languages: it says them in one form each."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.events.models import TimingSource
from apps.scoring.models import ResultStatus

# What is said, and what is made of it; one that is not here is shown as it is said.
SAID: tuple[tuple[str, Any], ...] = (
    (r"GPS crossing to be verified by hand", gettext_lazy("The GPS time is to be verified by hand.")),
    (r"GPS crossing uncertain by (?P<s>\S+) s", gettext_lazy("The GPS time is uncertain by %(s)s s.")),
    (r"(?P<source>\w+) record is questionable: (?P<why>.*)", gettext_lazy("%(source)s: in question, %(why)s.")),
    (r"tracker (?P<n>\d+) differs by (?P<s>\S+) s", gettext_lazy("Tracker %(n)s differs by %(s)s s.")),
    (r"(?P<source>\w+) differs by (?P<s>\S+) s", gettext_lazy("%(source)s differs by %(s)s s.")),
    (r"(?P<what>.+) not taken out: not passed", gettext_lazy("%(what)s: not taken out, it was not passed.")),
    (r"no assigned start", gettext_lazy("It has no assigned start.")),
    (r"over maximum", gettext_lazy("Over the maximum time.")),
    (r"(?P<where>.+): no assigned start", gettext_lazy("%(where)s: it has no assigned start.")),
    (r"(?P<where>.+): over maximum", gettext_lazy("%(where)s: over the maximum time.")),
    (
        r"(?P<where>.+): driven, but its start was not crossed",
        gettext_lazy("%(where)s: it was driven, but its start was not crossed."),
    ),
    (
        r"(?P<where>.+): left, but fewer than (?P<n>\d+) fixes in a row outside tell it",
        gettext_lazy("%(where)s: it was left, but fewer than %(n)s fixes in a row outside tell it."),
    ),
    (
        r"decided (?P<status>\w+), but the evidence shows (?P<shown>\w+)",
        gettext_lazy("Decided: %(status)s. The evidence shows: %(shown)s."),
    ),
    (
        r"withdrawn, but the evidence shows (?P<shown>\w+)",
        gettext_lazy("It is withdrawn. The evidence shows: %(shown)s."),
    ),
    (
        r"said to have finished, but the evidence shows (?P<shown>\w+)",
        gettext_lazy("It is said to have finished. The evidence shows: %(shown)s."),
    ),
    (
        r"retired, but the evidence shows a control crossed after that",
        gettext_lazy("It is retired, and crossed a control after that."),
    ),
    (
        r"decision on (?P<key>.+), which is not issued any more",
        gettext_lazy("A decision is about a penalty that is not issued any more: %(key)s."),
    ),
)


def told(text: str, names: Mapping[str, str]) -> str:
    """A sentence of the scorer in words, with names in place of ids."""
    for pattern, words in SAID:
        found = re.fullmatch(pattern, text)
        if found:
            return str(words) % {part: _part(part, value, names) for part, value in found.groupdict().items()}
    return _named(text, names)


def _part(name: str, value: str, names: Mapping[str, str]) -> str:
    if name == "source":
        return {str(key): str(label) for key, label in TimingSource.choices}.get(value, value)
    if name in ("status", "shown"):
        return str(dict(ResultStatus.choices).get(value, value))
    if name == "why" and value == "no reason given":
        return _("no reason given")
    return _named(value, names)


def _named(text: str, names: Mapping[str, str]) -> str:
    for identity, name in names.items():
        if identity in text:
            text = text.replace(identity, name)
    return text
