"""Gives new databases the IO mappings the makers publish.

A migration, so that they come once: what an official deletes later stays deleted. Later rows of the seed files come
with manage.py seed_io_mappings.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def seed(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    from apps.catalog.services import MAKERS, device_models, io_mappings, published

    mapping = apps.get_model("catalog", "IoMapping")
    for maker in MAKERS:
        seeds = published(maker)
        models = device_models(apps.get_model("catalog", "DeviceModel"), maker, seeds)
        mapping.objects.bulk_create(io_mappings(mapping, models, seeds), ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_io_mapping_checks")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
