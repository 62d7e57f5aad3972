"""System checks of TRM: faults of a checkout that Django itself passes over in silence."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register()
def migration_packages(**_kwargs: Any) -> list[CheckMessage]:
    """trm.E001: a label of MIGRATION_MODULES without its package.

    Without `__init__.py` Django takes the app for one without migrations: a new database lacks its tables.
    """
    return [
        Error(
            f"MIGRATION_MODULES[{label!r}] is no package: {module}",
            hint=f"Make {module.replace('.', '/')}/__init__.py.",
            id="trm.E001",
        )
        for label, module in settings.MIGRATION_MODULES.items()
        if not _is_package(module)
    ]


@register(Tags.security, deploy=True)
def own_secret_key(**_kwargs: Any) -> list[CheckMessage]:
    """trm.W001: each process signs with a key of its own, so that a session of one is none at the next."""
    if not settings.SECRET_KEY_IS_EPHEMERAL:
        return []
    return [Warning("SECRET_KEY is not set", hint="Give all processes the same long random one.", id="trm.W001")]


def _is_package(module: str) -> bool:
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return False
    # A folder without __init__.py is found too, as a namespace: that one has no file it comes from.
    return spec is not None and spec.origin is not None
