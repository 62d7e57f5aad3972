from django.apps import AppConfig


class RacelogConfig(AppConfig):
    name = "apps.racelog"
    label = "racelog"
    verbose_name = "Race-control log"
