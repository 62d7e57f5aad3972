"""manage.py maintain_positions"""

import argparse
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.telemetry.partitions import BusyError, Plan, Policy, maintain, plan_for


class Command(BaseCommand):
    help = (
        "Makes the partitions of the coming days, and drops positions older than POSITIONS_RETENTION_DAYS if that is "
        "set; sets TimescaleDB's policy of compression. Processors do the same each hour: no cron is needed."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        act = plan_for if options["dry_run"] else maintain
        try:
            plan = act(Policy.of_settings(), datetime.now(UTC))
        except (BusyError, DatabaseError) as error:
            raise CommandError(str(error).strip()) from error
        for line in _lines(plan):
            self.stdout.write(f"would {line}" if options["dry_run"] else line)
        if not plan:
            self.stdout.write("nothing to do")


def _lines(plan: Plan) -> list[str]:
    lines = [f"make the partition of {day}" for day in plan.days]
    lines += [f"drop {name}" for name in plan.partitions]
    lines += [f"delete {plan.rows} positions of days without a partition"] if plan.rows else []
    return lines + [f"run: {statement}" for statement in plan.statements]
