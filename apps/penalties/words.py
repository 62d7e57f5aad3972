"""Codes of rules and penalties in the reader's language."""

from uuid import UUID

from django.utils.translation import gettext

from apps.common.said import told
from apps.penalties.domain.evaluate import EVALUATORS
from apps.penalties.domain.telling import word


def type_in_words(type_: str) -> str:
    """A penalty's type, by its evaluator's title."""
    return told(EVALUATORS[type_].title if type_ in EVALUATORS else word(type_), gettext)


def code_in_words(code: str) -> str:
    """A rule's target, an incident's kind."""
    return told(word(code), gettext)


def offence_in_words(key: str) -> str:
    """The type of an offence, and what it was about where that is no id."""
    type_, _colon, target = key.partition(":")
    return " ".join(filter(None, (type_in_words(type_), "" if _is_id(target) else code_in_words(target))))


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
