"""The tests of detection can fail: each mutant of the engine's own source is caught by a check they run.

A mutant is the text of one module with one passage replaced; fixes, shapes and crossings are then compiled anew
around it. A passage that is no longer there, once, fails the test: who rewrites the engine rewrites the mutants.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import localcontext
from pathlib import Path
from types import ModuleType

import pytest

from apps.course import domain
from apps.course.tests.domain import test_oracle as checks
from apps.course.tests.domain.oracle import DIGITS

MODULES = ("fixes", "shapes", "crossings")  # in the order of their imports


def agreement() -> None:
    """The oracle's check on a few scenes: quick, and enough for every mutant here."""
    checks.check_agreement(checks.SEED, scenes=6, devices=30)


def long_edge() -> None:
    checks.test_a_long_edge_bulges_towards_the_pole(65.0, 3.0, -0.3)


@dataclass(frozen=True, slots=True)
class Mutant:
    module: str
    passage: str
    instead: str
    check: Callable[[], object] = agreement


MUTANTS = {
    "the instant is the fix after": Mutant(
        "crossings",
        "chords.before_ts[hits.chord] + np.rint(hits.fraction * duration).astype(np.int64)",
        "chords.after_ts[hits.chord]",
    ),
    "the instant is cut, not rounded": Mutant("crossings", "np.rint(hits.fraction", "np.floor(hits.fraction"),
    "no gap limit": Mutant(
        "crossings", "chords.duration_ms[found.chord] <= gap_limit_ms", "chords.duration_ms[found.chord] >= 0"
    ),
    "a chord of the limit itself is a gap": Mutant(
        "crossings",
        "chords.duration_ms[found.chord] <= gap_limit_ms",
        "chords.duration_ms[found.chord] < gap_limit_ms",
    ),
    "devices are joined": Mutant(
        "crossings", "np.flatnonzero(fixes.device[1:] == fixes.device[:-1])", "np.arange(len(fixes) - 1)"
    ),
    # The boundary is a millimetre thick: to compare with `<` is to leave it out.
    "a fix on the circle is outside": Mutant(
        "shapes", "c <= touch, c + 2 * b + a <= touch", "c < 0, c + 2 * b + a < 0"
    ),
    "a tangent does not touch the circle": Mutant(
        "shapes", "smallest <= self._radius + TOUCH_M", "smallest < self._radius"
    ),
    "a fix on the edge is outside the polygon": Mutant("shapes", "shape.buffer(TOUCH_M", "shape.buffer(-TOUCH_M"),
    "a fix on the line did not arrive at the gate": Mutant(
        "shapes", "(np.sign(before) != 0) & (np.sign(before) != np.sign(after))", "before * after < 0"
    ),
    "who departs from the line crosses the gate": Mutant(
        "shapes", "(np.sign(before) != 0) & (np.sign(before)", "(np.sign(before)"
    ),
    "a gate counts both ways": Mutant("shapes", "np.cos(self._bearing) > 0", "np.cos(self._bearing) > -np.inf"),
    "a gate has no ends": Mutant("shapes", "(along <= self._length + TOUCH_M)", "(along < np.inf)"),
    "the straight edge follows the parallel": Mutant(
        "shapes", "margin_m + _bulge_m(lats, lons)", "margin_m", long_edge
    ),
    "in the order of arrival": Mutant(
        "fixes", "np.lexsort((times[keep], codes[keep]))", 'np.argsort(codes[keep], kind="stable")'
    ),
    "what comes twice counts twice": Mutant("fixes", "fixes if first.all() else fixes._take(first)", "fixes"),
    "unusable fixes count": Mutant("fixes", "keep &= np.asarray(usable, bool)", "keep &= True"),
}


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with localcontext() as context:
        context.prec = DIGITS
        yield


def put_in_place(monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]) -> None:
    """Compile the engine's modules from these texts and let the checks run on them."""
    modules = {name: compiled(monkeypatch, name, text) for name, text in texts.items()}
    monkeypatch.setattr(checks, "engine", modules["crossings"])
    monkeypatch.setattr(checks, "Fixes", modules["fixes"].Fixes)


def compiled(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> ModuleType:
    full_name = f"{domain.__name__}.{name}"
    spec = importlib.util.spec_from_loader(full_name, loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # The modules that are compiled after this one import it from here.
    monkeypatch.setitem(sys.modules, full_name, module)
    exec(compile(text, f"{name}.py, a mutant", "exec"), module.__dict__)
    return module


def texts() -> dict[str, str]:
    folder = Path(domain.__file__).parent
    return {name: (folder / f"{name}.py").read_text() for name in MODULES}


def replaced(text: str, mutant: Mutant) -> str:
    assert text.count(mutant.passage) == 1, f"{mutant.module}.py has {mutant.passage!r} not once: mend the mutant"
    return text.replace(mutant.passage, mutant.instead)


@pytest.mark.parametrize("check", [agreement, long_edge])
def test_the_engine_compiled_anew_is_sound(monkeypatch: pytest.MonkeyPatch, check: Callable[[], object]) -> None:
    """Guards the mutants: without a change they would pass, so it is the change that is caught."""
    put_in_place(monkeypatch, texts())
    check()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    mutant, sources = MUTANTS[name], texts()
    put_in_place(monkeypatch, sources | {mutant.module: replaced(sources[mutant.module], mutant)})
    with pytest.raises(AssertionError):
        mutant.check()


def test_a_passage_that_is_gone_is_no_mutant() -> None:
    """Refactoring cannot switch these tests off in silence."""
    with pytest.raises(AssertionError, match="mend the mutant"):
        replaced("nothing of the kind", MUTANTS["no gap limit"])
