"""The tests of detection can fail: each mutant of the engine's own source is caught by a check they run.

A mutant is the text of the engine with one passage replaced, imported anew. A passage that is not there exactly
once fails the test: who rewrites the engine rewrites its mutants.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import localcontext
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from apps.course import domain
from apps.course.tests.domain import test_nearness
from apps.course.tests.domain import test_oracle as checks
from apps.course.tests.domain.oracle import DIGITS

SHARED = "controls"  # the data the checks hand to every engine: never a mutant, never loaded anew


def agreement() -> None:
    """The oracle's check on a few scenes: quick, and enough for every mutant here."""
    checks.check_agreement(checks.SEED, scenes=6, devices=30)


def long_edge() -> None:
    checks.test_a_long_edge_bulges_towards_the_pole(65.0, 3.0, -0.3)


def many_chords() -> None:
    test_nearness.check_agreement(sys.modules[f"{domain.__name__}.nearness"])


@dataclass(frozen=True, slots=True)
class Mutant:
    passage: str
    instead: str
    check: Callable[[], object] = agreement


MUTANTS = {
    "the instant is the fix after": Mutant("np.rint(hits.fraction * (after - before))", "(after - before)"),
    "the instant is cut, not rounded": Mutant(
        "np.rint(hits.fraction * (after - before))", "np.floor(hits.fraction * (after - before))"
    ),
    "only the first chord of a stretch is looked at": Mutant(
        "STRETCH + np.arange(STRETCH)", "STRETCH + np.arange(1)", many_chords
    ),
    "no gap limit": Mutant("<= gap_limit_ms", ">= 0"),
    "a chord of the limit itself is a gap": Mutant("<= gap_limit_ms", "< gap_limit_ms"),
    "devices are joined": Mutant("np.flatnonzero(fixes.device[1:] == fixes.device[:-1])", "np.arange(len(fixes) - 1)"),
    # The boundary is a millimetre thick: to compare with `<` is to leave it out.
    "a fix on the circle is outside": Mutant("c <= touch, c + 2 * b + a <= touch", "c < 0, c + 2 * b + a < 0"),
    "a tangent does not touch the circle": Mutant("smallest <= radius + TOUCH_M", "smallest < radius"),
    "a fix on the edge is outside the polygon": Mutant("shape.buffer(TOUCH_M", "shape.buffer(-TOUCH_M"),
    "a fix on the line did not arrive at the gate": Mutant(
        "(np.sign(before) != 0) & (np.sign(before) != np.sign(after))", "before * after < 0"
    ),
    "who departs from the line crosses the gate": Mutant(
        "(np.sign(before) != 0) & (np.sign(before)", "(np.sign(before)"
    ),
    "a gate counts both ways": Mutant("np.cos(self._bearing) > 0", "np.cos(self._bearing) > -np.inf"),
    "a gate has no ends": Mutant("(along <= self._length + TOUCH_M)", "(along < np.inf)"),
    "the straight edge follows the parallel": Mutant("margin_m + _bulge_m(lats, lons)", "margin_m", long_edge),
    "a stretch loses its last chord": Mutant("np.arange(STRETCH)", "np.arange(STRETCH - 1)", many_chords),
    "in the order of arrival": Mutant("np.lexsort((", '(lambda keys: np.argsort(keys[-1], kind="stable"))(('),
    "what comes twice counts twice": Mutant("fixes if first.all() else", "fixes if True else"),
    "unusable fixes count": Mutant("keep &= np.asarray(usable, bool)", "keep &= True"),
}


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with localcontext() as context:
        context.prec = DIGITS
        yield


class Text(SourceLoader):
    """Loads a module from its text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_filename(self, fullname: str) -> str:
        return f"{fullname}, a mutant"

    def get_data(self, path: str | bytes) -> bytes:
        return self._text.encode()


class Texts(MetaPathFinder):
    """Finds the engine's modules in texts, by full name, in whatever order they ask for each other."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, Text(self._texts[fullname])) if fullname in self._texts else None


def engine_texts() -> dict[str, str]:
    """The modules of the domain that are loaded, by full name."""
    files = {f"{domain.__name__}.{file.stem}": file for file in Path(domain.__file__).parent.glob("[a-z]*.py")}
    return {name: file.read_text() for name, file in files.items() if name in sys.modules and file.stem != SHARED}


def put_in_place(monkeypatch: pytest.MonkeyPatch, texts: Mapping[str, str]) -> None:
    """Import the engine from these texts and let the checks run on it, until the test is over."""
    for name in texts:
        monkeypatch.setattr(domain, name.rpartition(".")[2], sys.modules[name])  # which importing anew sets, too
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Texts(texts), *sys.meta_path])
    monkeypatch.setattr(checks, "engine", importlib.import_module(f"{domain.__name__}.crossings"))
    monkeypatch.setattr(checks, "Fixes", importlib.import_module(f"{domain.__name__}.fixes").Fixes)


def replaced(texts: Mapping[str, str], mutant: Mutant) -> dict[str, str]:
    found = {name: text.count(mutant.passage) for name, text in texts.items() if mutant.passage in text}
    assert list(found.values()) == [1], f"{mutant.passage!r} is not once in the engine but {found}: mend the mutant"
    return {name: text.replace(mutant.passage, mutant.instead) for name, text in texts.items()}


@pytest.mark.parametrize("check", [agreement, long_edge, many_chords])
def test_the_engine_imported_anew_is_sound(monkeypatch: pytest.MonkeyPatch, check: Callable[[], object]) -> None:
    """Guards the mutants: without a change they would pass, so it is the change that is caught."""
    put_in_place(monkeypatch, engine_texts())
    check()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    put_in_place(monkeypatch, replaced(engine_texts(), MUTANTS[name]))
    with pytest.raises(AssertionError):
        MUTANTS[name].check()


def test_a_passage_that_is_gone_is_no_mutant() -> None:
    """Refactoring cannot switch these tests off in silence."""
    with pytest.raises(AssertionError, match="mend the mutant"):
        replaced({"engine": "nothing of the kind"}, MUTANTS["no gap limit"])


def test_the_engine_is_itself_again_after_a_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that stayed in place would spoil every test that comes after."""
    name = f"{domain.__name__}.crossings"
    before = [vars(checks)["engine"], vars(checks)["Fixes"], sys.modules[name]]
    with monkeypatch.context() as patch:
        put_in_place(patch, replaced(engine_texts(), MUTANTS["no gap limit"]))
        assert vars(checks)["engine"] is not before[0]
    assert [vars(checks)["engine"], vars(checks)["Fixes"], sys.modules[name]] == before
