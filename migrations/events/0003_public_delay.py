import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0002_rules_and_decisions")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="public_delay_seconds",
            field=models.PositiveIntegerField(
                default=0,
                help_text="Spectators and crews see positions and results this much later than officials.",
                validators=[django.core.validators.MaxValueValidator(86400)],
                verbose_name="public delay, s",
            ),
        )
    ]
