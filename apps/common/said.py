"""Sentences of the pure domains. They are English, and remember of what they were made: the door translates them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


class Said(str):
    """A sentence made of a template and parts: `Said("%(n)d s late", n=3) == "3 s late"`.

    It is an ordinary string to whoever stores, compares or hashes it. Parts that are sentences themselves keep what
    they are made of. `manage.py translations` reads the templates from the source, so they are literals there.
    """

    __slots__ = ("parts", "template")
    template: str
    parts: dict[str, Any]

    def __new__(cls, template: str, **parts: Any) -> "Said":
        made = super().__new__(cls, template % parts if parts else template)
        made.template, made.parts = template, parts
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.template, self.parts)


def about(what: Any, reason: Any) -> Said:
    """What is wrong, after the name of the thing or the path of the field that it is wrong with."""
    return Said("%(what)s: %(reason)s", what=what, reason=reason)


def _again(template: str, parts: dict[str, Any]) -> Said:
    return Said(template, **parts)


@dataclass(frozen=True, slots=True)
class Listed:
    """Parts of a sentence one after the other, told one by one."""

    parts: tuple[Any, ...]
    by: str = ", "

    def __str__(self) -> str:
        return self.by.join(map(str, self.parts))


def listed(parts: Iterable[Any], by: str = ", ") -> Listed:
    return Listed(tuple(parts), by)


def phrased(text: str, phrases: Iterable[Said]) -> Listed:
    """A stored English text as a list of the phrases it has and of what stands between them."""
    known = {str(phrase): phrase for phrase in phrases}
    any_of = "|".join(re.escape(one) for one in sorted(known, key=len, reverse=True))
    return Listed(tuple(known.get(part, part) for part in re.split(rf"(?<!\w)({any_of})(?!\w)", text)), "")


def told(sentence: Any, translate: Callable[[str], str]) -> str:
    """A sentence in the language of `translate`, which is gettext. Anything else comes back as it is, as text."""
    if isinstance(sentence, Listed):
        return sentence.by.join(told(one, translate) for one in sentence.parts)
    if not isinstance(sentence, Said):
        return str(sentence)
    template = translate(sentence.template) if sentence.template else ""
    if not sentence.parts:
        return template
    return template % {name: told(part, translate) for name, part in sentence.parts.items()}


def of_error(error: Exception, translate: Callable[[str], str]) -> str:
    """What an exception of a domain says: its first argument, told."""
    return told(error.args[0], translate) if error.args else str(error)
