"""Cells of spreadsheets that strangers fill and officials open."""

import re

# What Excel, LibreOffice and Google Sheets take for the beginning of a formula.
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def guarded(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it; a plain number is none of that."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if text[:1] == "'" and FORMULA.match(text[1:]) else text
