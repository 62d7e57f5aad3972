"""Acts on the tracker catalog."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from apps.catalog.domain.seeds import Seed, parse
from apps.catalog.models import DeviceModel, IoMapping

SEEDS = Path(__file__).parent / "seeds"
MAKERS = {"Teltonika": "teltonika.csv"}


@dataclass(slots=True)
class Seeding:
    """What became of the published IO elements: made, there as published, and edited since (kept or reset)."""

    made: int = 0
    same: int = 0
    kept: int = 0
    reset: int = 0


def published(maker: str) -> list[Seed]:
    """The IO elements of a maker's trackers. Raises SeedError when the file is wrong."""
    return parse((SEEDS / MAKERS[maker]).read_text(encoding="utf-8"))


@transaction.atomic
def seed_io_mappings(*, reset: bool = False) -> Seeding:
    """Add the published IO elements that are missing; what an official edited is kept, unless `reset`."""
    seeding = Seeding()
    for maker in MAKERS:
        _seed_maker(maker, published(maker), reset, seeding)
    return seeding


def _seed_maker(maker: str, seeds: Iterable[Seed], reset: bool, seeding: Seeding) -> None:
    models = device_models(DeviceModel, maker, seeds)
    found = {
        (row.device_model_id, row.io_id): row
        for row in IoMapping.objects.select_for_update().filter(device_model__in=models.values())
    }
    missing = []
    for row in io_mappings(IoMapping, models, seeds):
        there = found.get((row.device_model_id, row.io_id))
        if there is None:
            missing.append(row)
        else:
            _compare(there, row, reset, seeding)
    seeding.made += len(IoMapping.objects.bulk_create(missing))


def _compare(there: IoMapping, row: IoMapping, reset: bool, seeding: Seeding) -> None:
    if (there.element, there.unit) == (row.element, row.unit):
        seeding.same += 1
    elif reset:
        row.pk, row.created_at = there.pk, there.created_at
        row.save(force_update=True)
        seeding.reset += 1
    else:
        seeding.kept += 1


# The migration that gives new databases these rows calls the two below with its own, historical models.
def device_models(model: Any, maker: str, seeds: Iterable[Seed]) -> dict[str, Any]:
    """The rows of the seeds' device models by name, made where missing."""
    names = sorted({name for seed in seeds for name in seed.models})
    return {name: model.objects.get_or_create(name=name, defaults={"maker": maker})[0] for name in names}


def io_mappings(model: Any, models: dict[str, Any], seeds: Iterable[Seed]) -> list[Any]:
    """Unsaved rows of the seeds, for each of their device models."""
    return [
        model(
            device_model=models[name],
            io_id=seed.element.io_id,
            name=seed.element.name,
            kind=seed.element.kind,
            unit=seed.unit,
            value_type=seed.element.value_type,
            scale=seed.element.scale,
        )
        for seed in seeds
        for name in seed.models
    ]
