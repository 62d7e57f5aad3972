"""The browser's standings.mjs against the server's standings.py, on boards of every kind."""

import random
from dataclasses import asdict
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser

from apps.live.standings import standings
from apps.scoring.models import ResultStatus

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("seed", [1, 2, 3])]

ORIGIN = "http://standings.test"
BOARDS = 60
CLASSES = ("C-1", "C-2", "M-1")
# The server's names of what the browser's lines hold.
NAMES = {
    "entryId": "entry_id", "rank": "rank", "number": "race_number", "crew": "crew", "vehicle": "vehicle",
    "class": "class_code", "status": "status_label", "control": "control", "time": "time", "penalty": "penalty",
    "total": "total", "gap": "gap",
}  # fmt: skip


def a_board(chance: random.Random) -> list[dict[str, Any]]:
    """Ranks as the scorer gives them (complete, stages completed, total) to some; times with and without tenths."""
    step = chance.choice([100, 1000])
    lines = [a_line(n, chance, step) for n in range(chance.randint(0, 12))]
    ranked = [line for line in lines if line["totalMs"] is not None and chance.random() < 0.8]
    incomplete = {line["entryId"] for line in ranked if chance.random() < 0.2}
    ranked.sort(key=lambda line: (line["entryId"] in incomplete, -line["completedStages"], line["totalMs"]))
    for rank, line in enumerate(ranked, start=1):
        line["rank"] = rank
        line["classRank"] = sum(other["classCode"] == line["classCode"] for other in ranked[:rank])
    chance.shuffle(lines)
    return lines


def a_line(n: int, chance: random.Random, step: int) -> dict[str, Any]:
    return {
        "entryId": f"entry-{n}", "raceNumber": 301 + n, "crew": f"Crew {n}", "vehicle": "Toyota",
        "classCode": chance.choice(CLASSES), "status": chance.choice(ResultStatus.values),
        "timeMs": chance.choice([None, chance.randrange(0, 8_000_000, step)]),
        "penaltyMs": chance.choice([0, chance.randrange(0, 5_000_000, step)]),
        "totalMs": chance.choice([None, *(chance.randrange(0, 9_000_000, step) for _ in range(3))]),
        "rank": None, "classRank": None, "lastControl": chance.choice(["", "WP 4"]),
        "completedStages": chance.randint(0, 2),
    }  # fmt: skip


def in_browser(browser: Browser, cases: list[tuple[list[dict[str, Any]], str]]) -> list[list[dict[str, str]]]:
    page = browser.new_page()
    page.route(f"{ORIGIN}/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    module = str(finders.find("live/standings.mjs"))
    page.route(f"{ORIGIN}/standings.mjs", lambda route: route.fulfill(path=module, content_type="text/javascript"))
    page.goto(f"{ORIGIN}/")
    words = {"fewer": "fewer stages", "statuses": {value: str(label) for value, label in ResultStatus.choices}}
    shown: list[list[dict[str, str]]] = page.evaluate(
        """async ([cases, words]) => {
            const { standings } = await import("/standings.mjs");
            return cases.map(([lines, classCode]) => standings(lines, classCode, words));
        }""",
        [cases, words],
    )
    page.close()
    return shown


def on_server(lines: list[dict[str, Any]], class_code: str) -> list[dict[str, str]]:
    return [
        {name: str(asdict(line)[ours]) for name, ours in NAMES.items()} | {"statusName": line.status}
        for line in standings(lines, class_code)
    ]


def test_browser_and_server_read_every_board_alike(browser: Browser, seed: int) -> None:
    """Protects order, gaps, `fewer stages`, penalties and tenths from drifting apart."""
    chance = random.Random(seed)
    cases = [(a_board(chance), chance.choice(["", *CLASSES])) for _ in range(BOARDS)]
    expected = [on_server(lines, class_code) for lines, class_code in cases]
    assert any(line["gap"] == "fewer stages" for board in expected for line in board), f"seed {seed}"
    for found, wanted in zip(in_browser(browser, cases), expected, strict=True):
        assert found == wanted, f"seed {seed}"
