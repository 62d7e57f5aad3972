"""What an official asks for in the filter builder, made a lookup of the list's address; and back into words."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from apps.accounts.admin_paths import ASKED, EMPTY, FILLED, WORDS

TRUE, FALSE = ("1", "true", "yes", "po"), ("0", "false", "no", "jo")


def lookup_of(field: Any, path: str, operator: str, typed: str) -> tuple[str, str]:
    """The lookup and its value, as they stand in an address.

    Raises ValidationError, naming what fits, for a value that is none of the field's.
    """
    if operator in (EMPTY, FILLED):
        if isinstance(field, models.CharField | models.TextField) and not field.null:
            return (f"{path}__exact" if operator == EMPTY else f"{path}__gt"), ""
        return f"{path}__isnull", "1" if operator == EMPTY else "0"
    if operator not in ASKED:
        raise ValidationError(_("That filter cannot be used."))
    return f"{path}__{operator}", typed.strip() if operator == "icontains" else _value(field, typed.strip())


def told(lookup: str, value: str, paths: Mapping[str, str]) -> str:
    """A filter of an address in words: “Race number is at least 300”."""
    path, _sep, operator = (lookup, "", "exact") if lookup in paths else lookup.rpartition("__")
    name = paths.get(path, path)
    if operator == "isnull":
        return f"{name} {ASKED[EMPTY] if value not in ('0', '') else ASKED[FILLED]}"
    if value == "" and operator in ("exact", "gt"):
        return f"{name} {ASKED[EMPTY] if operator == 'exact' else ASKED[FILLED]}"
    return f"{name} {WORDS[operator]} “{value}”"


def _value(field: Any, typed: str) -> str:
    """What was typed as the field has it. Raises ValidationError."""
    if isinstance(field, models.BooleanField):
        return _one_of(typed, {**dict.fromkeys(TRUE, "1"), **dict.fromkeys(FALSE, "0")}, [_("yes"), _("no")])
    if field.choices:
        words = {str(label).casefold(): str(key) for key, label in field.flatchoices}
        codes = {str(key).casefold(): str(key) for key, _label in field.flatchoices}
        return _one_of(typed, words | codes, [str(label) for _key, label in field.flatchoices])
    try:
        field.to_python(typed)
    except ValidationError as error:
        text = _("That filter cannot be used: “%(value)s” does not fit the field. %(why)s")
        raise ValidationError(text % {"value": typed, "why": " ".join(error.messages)}) from error
    return typed


def _one_of(typed: str, known: Mapping[str, str], told: list[str]) -> str:
    if typed.casefold() not in known:
        text = _("That filter cannot be used: “%(value)s” does not fit the field. It is one of: %(known)s.")
        raise ValidationError(text % {"value": typed, "known": ", ".join(told)})
    return known[typed.casefold()]
