"""The catalogues of all apps together: renewed from the sources, and what is wrong with them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.apps import AppConfig, apps
from django.conf import settings
from django.utils import translation

from apps.common.translations.po import Catalogue, Text, compiled, read, write
from apps.common.translations.sources import Places, texts_of

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|(?<!%)%[sd]|\{\w*\}")


@dataclass(frozen=True, slots=True)
class Kept:
    """The catalogue of an app and what its sources say."""

    path: Path
    texts: Places
    catalogue: Catalogue

    @property
    def missing(self) -> list[Text]:
        return sorted(text for text in self.texts if not all(self.catalogue.texts.get(text) or [""]))


def languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def load(language: str) -> list[Kept]:
    """One for each app that says anything. The sources' own language is spoken meanwhile."""
    with translation.override(None, deactivate=True):
        read_all = [_kept(config, language) for config in apps.get_app_configs() if config.name.startswith("apps.")]
    return [one for one in read_all if one.texts]


def _kept(config: AppConfig, language: str) -> Kept:
    path = Path(config.path) / "locale" / language / "LC_MESSAGES" / "django.po"
    return Kept(path, texts_of(config, Path(settings.BASE_DIR)), read(path))


def renew(kept: Iterable[Kept], language: str, new: Mapping[str, str | list[str]] | None = None) -> None:
    """Write every catalogue: new texts in, old ones out; what another app says already is said alike here.

    `new` gives texts by their English, as a translator hands them in.
    """
    everything = list(kept)
    memory = {text: said for one in everything for text, said in one.catalogue.texts.items() if any(said)}
    for one in everything:
        for text in one.texts:
            given = (new or {}).get(text.id)
            handed = (given,) if isinstance(given, str) else tuple(given or ())
            known = one.catalogue.texts.get(text, ())
            one.catalogue.texts[text] = handed or (known if any(known) else memory.get(text, ()))
        for gone in one.catalogue.texts.keys() - one.texts.keys():
            del one.catalogue.texts[gone]
        write(one.path, one.catalogue, language, one.texts)
        one.path.with_suffix(".mo").write_bytes(compiled(one.catalogue, language))


def problems(kept: Iterable[Kept], language: str) -> Iterator[str]:
    """A sentence for everything that keeps a reader from reading all of TRM in a language, or two from agreeing."""
    first: dict[Text, tuple[Path, tuple[str, ...]]] = {}
    for one in kept:
        yield from (f"{one.path}: no translation of {text.id!r}" for text in one.missing)
        yield from (f"{one.path}: nothing says {text.id!r}" for text in one.catalogue.texts.keys() - one.texts.keys())
        yield from (f"{one.path}: {text.id!r} is fuzzy" for text in one.catalogue.fuzzy)
        for text, said in one.catalogue.texts.items():
            yield from (f"{one.path}: {why} {text.id!r}" for why in _unlike(text, said))
            where, other = first.setdefault(text, (one.path, said))
            if other != said:
                yield f"{one.path}: {text.id!r} is {said}, but {other} in {where}"
        built = one.path.with_suffix(".mo")
        if not built.exists() or built.read_bytes() != compiled(one.catalogue, language):
            yield f"{built} is not that of its source"


def _unlike(text: Text, said: tuple[str, ...]) -> Iterator[str]:
    """The same placeholders in every form (a singular may leave its number out), and the same edges."""
    wanted = [PLACEHOLDER.findall(text.plural or text.id)] * len(said)
    for translated, expected in zip(said, wanted, strict=True):
        found = PLACEHOLDER.findall(translated)
        if translated and sorted(set(found)) != sorted(set(expected)):
            yield f"placeholders {found} instead of {expected} for"
        if translated and (translated != translated.strip()) != (text.id != text.id.strip()):
            yield "other space at the edges of"
