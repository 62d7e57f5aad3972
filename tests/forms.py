"""What a browser would send back of a page's form, if nobody touched it."""

from html.parser import HTMLParser
from typing import Any

Sent = dict[str, list[str]]
BUTTONS = ("submit", "button", "reset", "file")


def sent(page: Any) -> Sent:
    """All fields of the page's forms by name. Buttons are not pressed."""
    reader = _Reader()
    reader.feed(page.content.decode())
    return reader.fields


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: Sent = {}
        self._select = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input" and name and _counts(given):
            self._add(name, given.get("value") or ("on" if given.get("type") == "checkbox" else ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._add(self._select, given.get("value") or "")
        elif tag == "textarea":
            self._text = name
            self._add(name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.fields[self._text][-1] += data.removeprefix("\r\n").removeprefix("\n")

    def _add(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


def _counts(given: dict[str, Any]) -> bool:
    kind = given.get("type", "text")
    return kind not in BUTTONS and (kind not in ("checkbox", "radio") or "checked" in given)
