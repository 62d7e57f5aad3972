#!/usr/bin/env python
"""TRM's command line. Without DATABASE_URL and REDIS_URL it runs its own servers under `.trm/`."""

import getpass
import os
import sys

from apps.common import embedded

# Commands that work on files and code alone: a checkout in CI or on a plane can run them without any server.
WITHOUT_SERVERS = frozenset(
    {
        "analyse_track",
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "makemigrations",
        "startapp",
        "version",
    }
)


def needs_servers(arguments: list[str]) -> bool:
    """Whether the command line `arguments` (without the program) names a command that uses a server."""
    if not arguments or arguments[0].startswith("-") or {"--help", "-h"} & set(arguments):
        return False
    return arguments[0] not in WITHOUT_SERVERS


def operator() -> str:
    """The name of the account at the operating system; a container may run without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm.settings")
    if needs_servers(sys.argv[1:]):
        try:
            embedded.ensure_environment()
        except embedded.EmbeddedServerError as error:
            sys.exit(f"TRM cannot start its own servers: {error}")

    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from apps.common import audit

    audit.process_acts(sys.argv[1] if sys.argv[1:] else "manage.py", operator())
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
