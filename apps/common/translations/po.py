"""One catalogue: reading and writing .po files as this project writes them, and compiling them to .mo."""

import ast
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# The .mo is committed beside it: a fresh machine needs no gettext.
HEAD = (
    "# Renewed from the sources by `manage.py translations`, .mo and all; the words of the sport: docs/translating.md"
)
HEADER = (
    "Content-Type: text/plain; charset=UTF-8\n"
    "Content-Transfer-Encoding: 8bit\n"
    "Language: {language}\n"
    "Plural-Forms: nplurals=2; plural=(n != 1);\n"
)
MAGIC = 0x950412DE
CONTEXT = "\x04"  # gettext's own mark between a context and its text


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """What the source says: a text, its plural if it has one, and a context that tells it from the same words."""

    id: str
    plural: str = ""
    context: str = ""


@dataclass(slots=True)
class Catalogue:
    """A language's texts of one app."""

    texts: dict[Text, tuple[str, ...]] = field(default_factory=dict)
    fuzzy: set[Text] = field(default_factory=set)


def read(path: Path) -> Catalogue:
    """The catalogue of a file; an empty one without it. Raises ValueError naming the line it cannot read."""
    found = Catalogue()
    if not path.exists():
        return found
    for block in re.split(r"\n\s*\n", path.read_text()):
        fields, comments = _fields(path, block)
        if fields.get("msgid"):
            text = Text(fields["msgid"], fields.get("msgid_plural", ""), fields.get("msgctxt", ""))
            found.texts[text] = tuple(value for name, value in fields.items() if name.startswith("msgstr"))
            if any("fuzzy" in comment for comment in comments if comment.startswith("#,")):
                found.fuzzy.add(text)
    return found


def _fields(path: Path, block: str) -> tuple[dict[str, str], list[str]]:
    fields: dict[str, str] = {}
    comments: list[str] = []
    name = ""
    for line in block.splitlines():
        if line.startswith("#"):
            comments.append(line)
            continue
        match = re.fullmatch(r'(?:(\w+(?:\[\d\])?)\s+)?(".*")', line.strip())
        if match is None:
            raise ValueError(f"{path}: this is no line of a catalogue: {line}")
        name = match[1] or name
        fields[name] = fields.get(name, "") + ast.literal_eval(match[2])
    return fields, comments


def write(path: Path, catalogue: Catalogue, language: str, places: Mapping[Text, Iterable[str]]) -> None:
    """The file in the texts' own order, so that two people's additions seldom meet."""
    header = HEADER.format(language=language)
    blocks = [f'{HEAD}\nmsgid ""\nmsgstr ""\n' + "\n".join(map(_quoted, header.splitlines(keepends=True)))]
    for text in sorted(catalogue.texts):
        blocks.append(_block(text, catalogue.texts[text], places.get(text, ())))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(blocks) + "\n")


def _block(text: Text, translated: tuple[str, ...], places: Iterable[str]) -> str:
    lines = [f"#: {place}" for place in sorted(places)]
    lines += ["#, python-format"] if "%(" in text.id else []
    lines += [f"msgctxt {_quoted(text.context)}"] if text.context else []
    lines += [f"msgid {_quoted(text.id)}"]
    if text.plural:
        lines += [f"msgid_plural {_quoted(text.plural)}"]
        lines += [f"msgstr[{number}] {_quoted(one)}" for number, one in enumerate(translated or ("", ""))]
    else:
        lines += [f"msgstr {_quoted(translated[0] if translated else '')}"]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def compiled(catalogue: Catalogue, language: str) -> bytes:
    """The .mo of a catalogue: the same bytes for the same texts."""
    pairs = {"": HEADER.format(language=language)}
    for text, translated in catalogue.texts.items():
        if translated and all(translated) and text not in catalogue.fuzzy:
            key = (f"{text.context}{CONTEXT}" if text.context else "") + text.id
            pairs[f"{key}\0{text.plural}" if text.plural else key] = "\0".join(translated)
    encoded = sorted((key.encode(), value.encode()) for key, value in pairs.items())
    return _packed([key for key, _value in encoded], [value for _key, value in encoded])


def _packed(keys: list[bytes], values: list[bytes]) -> bytes:
    """GNU's layout: seven words, the table of keys, that of values, then all strings ended by NUL."""
    start = 28 + 16 * len(keys)
    tables, strings = b"", b""
    for one in (*keys, *values):
        tables += struct.pack("<II", len(one), start + len(strings))
        strings += one + b"\0"
    words = struct.pack("<7I", MAGIC, 0, len(keys), 28, 28 + 8 * len(keys), 0, start)
    return words + tables + strings
