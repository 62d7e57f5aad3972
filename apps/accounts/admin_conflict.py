"""Two officials edit the same row: the second is told what the first changed, and loses nothing.

A form carries what its official saw (`row_seen`). When it comes back and the row is another by now, what they left
alone follows the row; and where they changed something the form is shown again, with the other's changes beside
their own values. Saving that form again is done knowingly. Whoever changed nothing has no conflict.
"""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.forms.models import model_to_dict
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

SEEN = "row_seen"

# What is known of the latest change of a row: "arta, 10:42". An app that keeps a log adds its own.
TELLERS: list[Callable[[Model], str]] = []


class SeesConflicts(forms.ModelForm):  # type: ignore[type-arg]
    """Form of a row that somebody else may be editing."""

    row_seen = forms.CharField(label="", required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._notes: dict[str, str] = {}
        if not self.instance._state.adding and SEEN in self.fields:
            now = self._plain()
            self.initial[SEEN] = json.dumps(now)
            if self.is_bound:
                told = _loaded(self.data.get(self.add_prefix(SEEN)))
                self._compare({name: told[name] for name in now if name in told and self._is_one(name, told)}, now)

    @property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name != SEEN]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        for name, note in self._notes.items():
            self.add_error(name or None, ValidationError(note, code="conflict"))

    def _plain(self) -> dict[str, Any]:
        """The row's values as JSON has them, of the fields that can be set here."""
        row = model_to_dict(self.instance, [name for name in self.fields if not self.fields[name].disabled])
        prepared = {name: _prepared(self.fields[name], value) for name, value in row.items()}
        plain: dict[str, Any] = json.loads(json.dumps(prepared, cls=DjangoJSONEncoder, default=str))
        return plain

    def _compare(self, seen: dict[str, Any], now: dict[str, Any]) -> None:
        theirs = [name for name in seen if seen[name] != now[name]]
        mine = {name for name in seen if self._differs(name, seen) and self._differs(name, now)}
        if not theirs:
            return
        data: Any = self.data
        self.data = data.copy()
        for name in theirs:
            if name not in mine:
                self._put(name, now[name])
        self.data[self.add_prefix(SEEN)] = json.dumps(now)  # type: ignore[index]
        if mine:
            self._notes = {"": self._sentence()}
            self._notes |= {name: self._note(name, seen, now, kept=name in mine) for name in theirs}

    def _differs(self, name: str, row: dict[str, Any]) -> bool:
        """Whether the form holds something else than a row did."""
        # Not by self[name]: that is remembered with its field, which a formset replaces after this.
        sent = self.fields[name].widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        return self.fields[name].has_changed(self._typed(name, row[name]), sent)

    def _typed(self, name: str, value: Any) -> Any:
        """A plain value as the model has it. Raises ValidationError for what is no value of the field."""
        field = self.instance._meta.get_field(name)
        return value if value is None or field.many_to_many else field.to_python(value)

    def _is_one(self, name: str, row: dict[str, Any]) -> bool:
        """A browser sends what it likes: what the field could never have had was not seen."""
        try:
            self._typed(name, row[name])
        except (ValidationError, TypeError):
            return False
        return True

    def _put(self, name: str, value: Any) -> None:
        """Into the data, as if the browser had sent it."""
        _send(self.data, self.fields[name].widget, self.add_prefix(name), self._prepared_again(name, value))

    def _prepared_again(self, name: str, value: Any) -> Any:
        return self.fields[name].prepare_value(self._typed(name, value))

    def _sentence(self) -> str:
        who = next((said for said in (tell(self.instance) for tell in TELLERS) if said), "")
        head = _("Somebody else saved this meanwhile (%(who)s).") % {"who": who} if who else ""
        rest = _("Nothing is saved yet. What you typed is below, with the other's changes. Save again to keep it so.")
        return f"{head or _('Somebody else saved this meanwhile.')} {rest}"

    def _note(self, name: str, seen: dict[str, Any], now: dict[str, Any], *, kept: bool) -> str:
        told = {"old": self._shown(name, seen[name]), "new": self._shown(name, now[name])}
        if kept:
            return _("The other changed “%(old)s” to “%(new)s”. Below is what you typed.") % told
        return _("The other changed “%(old)s” to “%(new)s”, taken over below.") % told

    def _shown(self, name: str, value: Any) -> str:
        field: Any = self.fields[name]
        if isinstance(field, forms.ModelChoiceField):  # of one row or of several
            keys = value if isinstance(value, list) else [value]
            rows: Any = field.queryset
            return ", ".join(str(row) for row in rows.filter(pk__in=keys)) or str(value or "")
        if isinstance(value, bool):
            return str(_("yes") if value else _("no"))
        if isinstance(value, str) and isinstance(field, forms.ChoiceField):
            choices: Any = field.choices
            return str(dict(choices).get(value, value))
        return str(field.prepare_value("" if value is None else value))


class SeeingFormSet(forms.BaseModelFormSet[Any, Any]):
    """The forms of a list. Its page draws no hidden field but the key, so what was seen goes with that."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        model: Any = self.model
        key: Any = form.fields[model._meta.pk.name]
        key.widget = _KeyAndSeen(form)


class _KeyAndSeen(forms.HiddenInput):
    def __init__(self, form: Any) -> None:
        super().__init__()
        self._form = form

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        seen: SafeString = self._form[SEEN].as_hidden()
        return super().render(*args, **kwargs) + seen


def _loaded(text: str | None) -> dict[str, Any]:
    """What a form said it had shown; nothing where it says nothing sensible."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _prepared(field: forms.Field, value: Any) -> Any:
    """Rows as their keys, anything else as it is."""
    if isinstance(value, list) and isinstance(field, forms.ModelMultipleChoiceField):
        return sorted(str(field.prepare_value(row)) for row in value)
    return value


def _send(data: Any, wrapped: Any, name: str, value: Any) -> None:
    widget: Any = getattr(wrapped, "widget", wrapped)  # the admin wraps those of references
    if isinstance(widget, forms.MultiWidget):
        several: Any = widget
        parts = value if isinstance(value, list | tuple) else several.decompress(value)
        for part, suffix, inner in zip(parts, several.widgets_names, several.widgets, strict=False):
            _send(data, inner, name + suffix, part)
    elif isinstance(widget, forms.CheckboxInput):
        data.pop(name, None)
        if value:
            data[name] = "on"
    elif isinstance(widget, forms.SelectMultiple):
        data.setlist(name, [str(one) for one in value or ()])
    else:
        shown = widget.format_value(value)
        data[name] = (shown[0] if isinstance(shown, list) else shown) or ""
