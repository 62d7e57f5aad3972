from django.apps import AppConfig


class SafetyConfig(AppConfig):
    name = "apps.safety"
    label = "safety"

    def ready(self) -> None:
        from apps.safety.removal import remove
        from apps.scoring.removal import HANGS_ON

        HANGS_ON.append(remove)
