"""`manage.py rules`: apply, show the difference, check, export, list."""

import io
from pathlib import Path

import pytest
import redis as redis_client
from django.core.management import CommandError, call_command

from apps.common import stream
from apps.events.factories import EventFactory
from apps.events.models import Event
from apps.penalties.models import PenaltyFormula, ProfileUse
from apps.penalties.tests.profiles.published import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return EventFactory(slug="albania-26")


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("rules", *args, stdout=out)
    return out.getvalue()


def test_the_profiles_are_listed() -> None:
    listed = run("--list-profiles").splitlines()
    assert len(listed) == 6
    assert "rally-albania   1     Rally Albania (template); 7 rules without a value" in listed


def test_a_profile_is_applied_and_the_scorers_are_told(event: Event, redis: redis_client.Redis) -> None:
    before = redis.xlen(stream.REQUESTS_STREAM)
    said = run("albania-26", "--profile", "fim-2022")
    assert "+ rule: speed_zone 41-∞: 0:06:00" in said and "fim-2022 1 applied" in said
    assert redis.xlen(stream.REQUESTS_STREAM) == before + 1
    assert "~ rule speed_zone 41-∞: 0:03:00: penalty 0:06:00" in run("albania-26", "--profile", "fim-2023", "--dry-run")
    assert PenaltyFormula.objects.get(event=event, offence_min=41).penalty == 360
    assert redis.xlen(stream.REQUESTS_STREAM) == before + 1, "a dry run asks for nothing"


def test_check_fails_while_something_forbids_publishing(event: Event) -> None:
    run("albania-26", "--profile", "rally-albania")
    with pytest.raises(CommandError, match="7 of .* open settings forbid publishing"):
        run("albania-26", "--check")
    PenaltyFormula.objects.filter(event=event).update(penalty=60)
    assert "none forbids publishing" in run("albania-26", "--check")


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_export_and_load(event: Event, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine{suffix}"
    run("albania-26", "--profile", "fim-2025")
    run("albania-26", "--export", str(path))
    assert "0 changes" in run("albania-26", "--load", str(path), "--replace")
    with pytest.raises(CommandError, match="not with .yaml"):
        run("albania-26", "--export", str(tmp_path / "mine.xls"))


def test_a_wrong_file_changes_nothing(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("{name: x, version: '1', formulas: [{type: dns_lump, penalty: 1}, {type: dnf_lump, penalty: x}]}")
    with pytest.raises(
        CommandError, match=r"wrong\.yaml: formulas\[1\]\.penalty: 'x' is no time.*\nnothing is changed"
    ):
        run("albania-26", "--load", str(path))
    assert not PenaltyFormula.objects.filter(event=event).exists()


def test_official_results_want_force_and_reason(event: Event) -> None:
    publish(event, "official")
    with pytest.raises(CommandError, match=r"results are official: the event \(revision"):
        run("albania-26", "--profile", "serres")
    for half in (["--force"], ["--reason", "Bulletin 4"]):
        with pytest.raises(CommandError, match="--force and --reason go together"):
            run("albania-26", "--profile", "serres", *half)
    run("albania-26", "--profile", "serres", "--force", "--reason", "Bulletin 4")
    assert ProfileUse.objects.get(event=event).reason == "Bulletin 4"


@pytest.mark.parametrize(("args", "reason"), [
    (["nowhere", "--check"], "0 events are called 'nowhere'"),
    (["--check"], "name the event"),
    (["albania-26", "--profile", "fim-1999"], "no profile named 'fim-1999'"),
    (["albania-26", "--profile", "serres", "--author", "x@example.org"], "no user has the address"),
])  # fmt: skip
def test_a_wrong_call_is_told_why(event: Event, args: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*args)
