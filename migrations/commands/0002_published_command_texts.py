"""Gives new databases the commands the makers publish and that lose nothing.

A migration, so that they come once: what an official deletes later stays deleted. Later rows of the seed files come
with manage.py seed_command_texts.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def seed(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    from apps.commands.allowed import MAKERS, published, rows

    text = apps.get_model("commands", "CommandText")
    models = {model.name: model for model in apps.get_model("catalog", "DeviceModel").objects.all()}
    for maker in MAKERS:
        text.objects.bulk_create(rows(text, models, published(maker)), ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("commands", "0001_initial"), ("catalog", "0004_published_io_mappings")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
