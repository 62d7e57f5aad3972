"""Which texts an app says: those marked in its modules and templates, descriptions in its seeds, names of models."""

import ast
import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.models import Field, Model
from django.utils.translation.template import templatize

from apps.common.translations.po import Text

# What marks a text in a module; Said is the pure domains' mark (apps.common.said).
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "Said"}
PLURALS = {"ngettext", "ngettext_lazy"}
CONTEXTS = {"pgettext", "pgettext_lazy"}
LITERAL = r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
CALL = re.compile(rf"\b(_|\w*gettext)\(\s*{LITERAL}(?:\s*,\s*{LITERAL})?")
Places = dict[Text, set[str]]


def texts_of(app: AppConfig, root: Path) -> Places:
    """Every text of an app with the files it stands in, relative to `root`. Tests say nothing to anybody."""
    found: Places = defaultdict(set)
    folder = Path(app.path)
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.html")]):
        inside = path.relative_to(folder)
        if inside.parts[0] != "tests":
            read = _of_module if path.suffix == ".py" else _of_template
            for text in read(path.read_text()):
                found[text].add(str(path.relative_to(root)))
    for path in sorted(folder.glob("seeds/*.csv")):
        for text in _of_seeds(path.read_text()):
            found[text].add(str(path.relative_to(root)))
    if any(app.get_models()):
        found[Text(str(app.verbose_name))].add(str(folder.relative_to(root)))
    for model in app.get_models():
        for name in _of_model(model):
            found[Text(name)].add(f"{folder.relative_to(root)}: {model.__name__}")
    return found


def _of_module(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            literals = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            yield from _marked(_called(node.func), literals)


def _called(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _marked(mark: str, literals: list[str]) -> Iterator[Text]:
    if mark in MARKS and literals and literals[0]:
        yield Text(literals[0])
    elif mark in PLURALS and len(literals) > 1:
        yield Text(literals[0], plural=literals[1])
    elif mark in CONTEXTS and len(literals) > 1:
        yield Text(literals[1], context=literals[0])


def _of_template(source: str) -> Iterator[Text]:
    for match in CALL.finditer(templatize(source)):
        yield from _marked(match[1], [ast.literal_eval(one) for one in match.groups()[1:] if one])


def _of_seeds(source: str) -> Iterator[Text]:
    """What the rows that TRM makes by itself say to people."""
    rows = csv.DictReader(line for line in source.splitlines() if not line.startswith("#"))
    yield from (Text(row["description"]) for row in rows if row.get("description"))


def _of_model(model: type[Model]) -> Iterator[str]:
    """Names as Django makes them where the model gives none; a marked one is the same text once more."""
    with_names: list[Any] = [model._meta, *(one for one in model._meta.get_fields() if isinstance(one, Field))]
    for named in with_names:
        if getattr(named, "name", "") not in ("id", "password"):
            yield str(named.verbose_name)
    yield str(model._meta.verbose_name_plural)
