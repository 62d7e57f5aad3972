"""`applies_to` says outright what a penalty touches: what touched the stage has touched the start order until now."""

import django.contrib.postgres.fields
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import apps.penalties.models

CHOICES = [("stage", "stage"), ("overall", "overall"), ("start_order", "start order")]


def name_start_order(registry: Apps, _: BaseDatabaseSchemaEditor) -> None:
    rows = registry.get_model("penalties", "PenaltyFormula").objects
    for row in rows.filter(applies_to__contains=["stage"]).exclude(applies_to__contains=["start_order"]):
        row.applies_to = [*row.applies_to, "start_order"]
        row.save(update_fields=["applies_to"])


def field() -> "django.contrib.postgres.fields.ArrayField":
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.CharField(choices=CHOICES, max_length=12),
        default=apps.penalties.models.everything,
        size=None,
    )


class Migration(migrations.Migration):
    dependencies = [("penalties", "0003_profiles_and_answers")]

    operations = [
        migrations.AlterField("penaltyformula", "applies_to", field()),
        migrations.AlterField("entrypenalty", "applies_to", field()),
        migrations.RunPython(name_start_order, migrations.RunPython.noop),
    ]
