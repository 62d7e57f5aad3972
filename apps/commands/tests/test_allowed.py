"""A new database may send what the makers publish; what an official edits stays as it is."""

import pytest
from django.core.management import call_command
from django.utils import translation

from apps.catalog.services import seed_io_mappings
from apps.commands.allowed import seed_command_texts
from apps.commands.models import CommandText

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _published_models(db: None) -> None:
    """Whether the migration's rows are there depends on the tests before."""
    seed_io_mappings()


def test_seeding_adds_what_is_missing_and_keeps_what_was_edited(capsys: pytest.CaptureFixture[str]) -> None:
    seed_command_texts()
    edited = CommandText.objects.get(device_model__name="FMB920", pattern="cpureset")
    CommandText.objects.filter(pk=edited.pk).update(roles=["org-admin"])
    CommandText.objects.filter(device_model__name="FMB003", pattern="getinfo").delete()
    call_command("seed_command_texts")
    assert capsys.readouterr().out.startswith("1 made, ")
    edited.refresh_from_db()
    assert edited.roles == ["org-admin"]
    assert seed_command_texts().made == 0


def test_a_description_of_ours_is_told_in_albanian_and_an_edited_one_as_typed() -> None:
    seed_command_texts()
    rows = {text.pattern: text for text in CommandText.objects.filter(device_model__name="FMB920")}
    rows["cpureset"].description = "Restart it at the bivouac"
    with translation.override("sq"):
        assert rows["getgps"].explained == "Pozicioni dhe ora sipas GPS-it tani"
        assert rows["cpureset"].explained == "Restart it at the bivouac"
        unlike = {pattern for pattern, text in rows.items() if text.explained != text.description}
    assert unlike == rows.keys() - {"cpureset"} and CommandText().explained == ""


def test_what_sends_no_answer_says_so() -> None:
    seed_command_texts()
    silent = CommandText.objects.filter(description__contains="no answer", device_model__name="FMC130")
    assert set(silent.values_list("pattern", flat=True)) == {"getrecord", "cpureset"}
