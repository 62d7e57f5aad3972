"""Logs: one JSON object a line for machines, readable text on a terminal (contracts §5).

`LOGGING_CONFIG` of the settings names `configure`, so Django calls it once with `LOGGING`. Code logs with
`structlog.get_logger(__name__)`; what libraries log with the standard library comes out the same way.
"""

import logging.config
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SERVICES = {
    "run_processor": "processor",
    "run_scorer": "scorer",
    "run_live": "live",
    "run_safety": "safety",
    "run_commands": "commands",
    "uvicorn": "web",
    "pytest": "tests",
}


class Logging(TypedDict):
    """What the settings say about logs."""

    service: str
    instance_id: str
    level: str


def service_name(arguments: Sequence[str]) -> str:
    """What to call this process: its manage.py command or its program, by the name it has in operation."""
    program = Path(arguments[0]).name if arguments else ""
    name = arguments[1] if program == "manage.py" and len(arguments) > 1 else program
    return SERVICES.get(name, name or "trm")


def configure(logging_settings: Logging) -> None:
    """Set up structlog and the standard library to write to stderr, with the service on every line."""
    on_terminal = sys.stderr.isatty()
    shared = _processors(logging_settings, on_terminal=on_terminal)
    renderer: Processor = structlog.dev.ConsoleRenderer() if on_terminal else _json
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_standard_library(logging_settings["level"], shared, renderer))


def _processors(logging_settings: Logging, *, on_terminal: bool) -> list[Processor]:
    def add_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = logging_settings["service"]
        event["instance_id"] = logging_settings["instance_id"]
        return event

    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp" if on_terminal else "time"),
    ]
    # A person at a terminal knows what was started there.
    return processors if on_terminal else [*processors, add_process, structlog.processors.format_exc_info]


def _standard_library(level: str, shared: list[Processor], renderer: Processor) -> dict[str, Any]:
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [remove_meta, renderer],
    }
    through_root: dict[str, Any] = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"trm": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "trm"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Django's own handlers would write every line a second time.
        "loggers": {"django": through_root, "django.server": through_root},
    }


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
