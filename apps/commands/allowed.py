"""The allow-list: which commands go to which models, and what of it the makers publish."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from apps.accounts.models import Role
from apps.catalog.models import DeviceModel
from apps.commands.domain.seeds import Seed, parse
from apps.commands.models import CommandText

SEEDS = Path(__file__).parent / "seeds"
MAKERS = {"Teltonika": "teltonika.csv"}


@dataclass(slots=True)
class Seeding:
    """What became of the published commands: made, or there already, edited or not."""

    made: int = 0
    there: int = 0


def published(maker: str) -> list[Seed]:
    """The commands of a maker's trackers. Raises SeedError when the file is wrong."""
    return parse((SEEDS / MAKERS[maker]).read_text(encoding="utf-8"), frozenset(Role.values))


def rows(text: Any, models: dict[str, Any], seeds: Sequence[Seed]) -> list[Any]:
    """Unsaved rows of the seeds, for those of their device models that there are."""
    return [
        text(device_model=models[name], pattern=seed.pattern, roles=list(seed.roles), description=seed.description)
        for seed in seeds
        for name in seed.models
        if name in models
    ]


@transaction.atomic
def seed_command_texts() -> Seeding:
    """Add the published commands that are missing; what an official edited is kept."""
    seeding = Seeding()
    models = {model.name: model for model in DeviceModel.objects.all()}
    there = set(CommandText.objects.values_list("device_model_id", "pattern"))
    for maker in MAKERS:
        for row in rows(CommandText, models, published(maker)):
            if (row.device_model_id, row.pattern) in there:
                seeding.there += 1
            else:
                row.save()
                seeding.made += 1
    return seeding
