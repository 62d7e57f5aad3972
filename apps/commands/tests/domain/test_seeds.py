"""The published commands: facts with their source, nothing that loses a tracker, and files that say what is wrong."""

import re

import pytest

from apps.catalog.domain.seeds import FAMILIES, SeedError
from apps.commands.allowed import MAKERS, SEEDS, published
from apps.commands.domain.seeds import COLUMNS, parse

ROLES = frozenset({"org-admin", "race-director"})
HEAD = ",".join(COLUMNS) + "\n"


def test_every_family_has_its_commands_and_the_file_its_source() -> None:
    by_model = {model: set[str]() for models in FAMILIES.values() for model in models}
    for seed in published("Teltonika"):
        for model in seed.models:
            by_model[model].add(seed.pattern)
    for model in ("FMB920", "FMB003", "FMC130"):
        assert {"getinfo", "getver", "getstatus", "getgps", "cpureset"} <= by_model[model]
    assert "wiki.teltonika-gps.com" in (SEEDS / MAKERS["Teltonika"]).read_text()


@pytest.mark.parametrize("text", ["setparam 2004:1.2.3.4", "setdigout 1", "defaultcfg", "getinfo;cpureset", "readio"])
def test_what_can_lose_a_tracker_or_an_engine_is_not_seeded(text: str) -> None:
    assert not any(re.fullmatch(seed.pattern, text) for seed in published("Teltonika"))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("get(info,org-admin,FMB920,x", "pattern"),
        ("getinfo,driver,FMB920,x", "roles"),
        ("getinfo,org-admin,FMB999,x", "families"),
        ("getinfo,org-admin,FMB920", "4 columns"),
        ("getinfo,org-admin,FMB920,x,y", "4 columns"),
    ],
)
def test_a_wrong_row_is_named(row: str, says: str) -> None:
    with pytest.raises(SeedError, match=f"^get.*: .*{says}"):
        parse(HEAD + row, ROLES)


def test_wrong_columns_are_refused() -> None:
    with pytest.raises(SeedError, match="the columns must be"):
        parse("pattern,roles\n", ROLES)
