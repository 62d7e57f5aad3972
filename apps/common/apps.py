from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "apps.common"
    label = "common"

    def ready(self) -> None:
        from apps.common import (
            audit,
            checks,  # noqa: F401 - importing registers them
        )

        audit.install()
