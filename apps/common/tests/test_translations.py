"""Every text of every app is there in every language, and the compiled files are those of their sources."""

import gettext
from io import BytesIO
from pathlib import Path

import pytest
from django.apps import apps
from django.utils import translation

from apps.common.said import Said, listed, told
from apps.common.translations.catalogues import Kept, languages, load, problems, renew
from apps.common.translations.po import Catalogue, Text, compiled, read, write
from apps.common.translations.sources import texts_of

SAYS = Text("%(n)s crew", plural="%(n)s crews")


def kept(folder: Path, **texts: tuple[str, ...]) -> Kept:
    """A catalogue in which every source says what it translates."""
    catalogue = Catalogue(texts={Text(text): said for text, said in texts.items()})
    return Kept(folder / "django.po", {text: {"views.py"} for text in catalogue.texts}, catalogue)


@pytest.mark.parametrize("language", languages())
def test_every_text_of_every_app_is_translated(language: str) -> None:
    """Renew the catalogues with `manage.py translations`, then fill what it names."""
    assert list(problems(load(language), language)) == []


def test_a_catalogue_reads_back_as_it_was_written(tmp_path: Path) -> None:
    texts = {SAYS: ("%(n)s ekuipazh", "%(n)s ekuipazhe"), Text('a "b"\n\\', context="x"): ("ç",), Text("new"): ()}
    path = tmp_path / "django.po"
    write(path, Catalogue(dict(texts)), "sq", {})
    assert read(path).texts == texts | {Text("new"): ("",)}


def test_gettext_reads_what_was_compiled() -> None:
    texts = {SAYS: ("%(n)s ekuipazh", "%(n)s ekuipazhe"), Text("stage"): ("etapa",), Text("x"): ("y",)}
    built = gettext.GNUTranslations(BytesIO(compiled(Catalogue(texts=dict(texts), fuzzy={Text("x")}), "sq")))
    assert [built.ngettext(SAYS.id, SAYS.plural, n) for n in (1, 2)] == ["%(n)s ekuipazh", "%(n)s ekuipazhe"]
    assert built.gettext("stage") == "etapa"
    assert built.gettext("x") == "x", "a fuzzy text is none"


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    one = kept(tmp_path / "one", stage=("etapa",), empty=("",), **{"{n} km": ("{m} km",), " edge": ("skaj",)})
    other = kept(tmp_path / "other", stage=("faza",))
    one.catalogue.texts[Text("gone")] = ("ikur",)
    one.catalogue.fuzzy.add(Text("stage"))
    told_all = "\n".join(problems([one, other], "sq"))
    for wrong in ("no translation of 'empty'", "nothing says 'gone'", "'stage' is fuzzy", "other space at the edges"):
        assert wrong in told_all
    assert "placeholders ['{m}']" in told_all and "but ('etapa',) in" in told_all
    assert "is not that of its source" in told_all


def test_renewing_takes_over_what_another_app_says(tmp_path: Path) -> None:
    one, other = kept(tmp_path / "a", stage=("etapa",)), kept(tmp_path / "b", stage=())
    renew([one, other], "sq")
    assert read(other.path).texts == {Text("stage"): ("etapa",)}


def test_texts_are_found_where_they_stand() -> None:
    found = texts_of(apps.get_app_config("desk"), Path.cwd())
    assert any(place.endswith("base.html") for place in found[Text("Race office")])
    assert any(text.plural for text in found)
    assert "apps/penalties: PenaltyFormula" in texts_of(apps.get_app_config("penalties"), Path.cwd())[Text("event")]


def test_names_that_django_makes_of_fields_are_translated() -> None:
    with translation.override("sq"):
        assert str(apps.get_model("events", "Entry")._meta.verbose_name) == "regjistrim"
        assert str(apps.get_model("timing", "StartList")._meta.get_field("stage").verbose_name) == "etapa"
        assert str(apps.get_model("course", "Segment")._meta.verbose_name_plural) == "sektorët"
        assert str(apps.get_app_config("scoring").verbose_name) == "Llogaritja e rezultateve"


def test_a_sentence_of_a_domain_is_english_until_it_is_told() -> None:
    parts = listed([Said("%(n)s left", n=2), "B"])
    sentence = Said("%(who)s: %(parts)s", who=Said("crew"), parts=parts)
    assert sentence == "crew: 2 left, B"
    words = {"crew": "ekuipazhi", "%(n)s left": "mbetën %(n)s"}
    assert told(sentence, lambda text: words.get(text, text)) == "ekuipazhi: mbetën 2, B"
    assert told("as it is", lambda text: "?") == "as it is"
