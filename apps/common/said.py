"""Sentences of the pure domains. They are English, and remember of what they were made: the door translates them."""

from collections.abc import Callable, Iterable
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


def _again(template: str, parts: dict[str, Any]) -> Said:
    return Said(template, **parts)


class Listed(tuple[Any, ...]):
    """Parts of a sentence one after the other, told one by one."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(map(str, self))


def listed(parts: Iterable[Any]) -> Listed:
    return Listed(parts)


def told(sentence: Any, translate: Callable[[str], str]) -> Any:
    """A sentence in the language of `translate`, which is gettext. Anything else comes back as it is."""
    if isinstance(sentence, Listed):
        return ", ".join(str(told(one, translate)) for one in sentence)
    if not isinstance(sentence, Said):
        return sentence
    template = translate(sentence.template) if sentence.template else ""
    if not sentence.parts:
        return template
    return template % {name: told(part, translate) for name, part in sentence.parts.items()}
