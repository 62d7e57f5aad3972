from django.apps import AppConfig, apps


class CommonConfig(AppConfig):
    name = "apps.common"
    label = "common"

    def ready(self) -> None:
        from apps.common import (
            audit,
            checks,  # noqa: F401 - importing registers them
        )
        from apps.common.translations.names import translate_names

        audit.install()
        translate_names(config for config in apps.get_app_configs() if config.name.startswith("apps."))
