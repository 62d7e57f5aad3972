"""The names of apps, models and fields in the reader's language, those too that Django makes of the Python name."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.db.models import Field
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


def translate_names(configs: Iterable[AppConfig]) -> None:
    """Make every name of ours lazy. Migrations do not see it: they keep what the model's author wrote."""
    for config in configs:
        named: Any = config
        named.verbose_name = _lazy(config.verbose_name)
        for model in config.get_models():
            _translate_model(model._meta)


def _translate_model(meta: Any) -> None:
    # Django's own plural is lazy too, but ends the name of whatever language in an s.
    plural = meta.verbose_name_plural
    meta.verbose_name_plural = _lazy(plural if "verbose_name_plural" in meta.original_attrs else str(plural))
    meta.verbose_name = _lazy(meta.verbose_name)
    for field in meta.get_fields():
        if isinstance(field, Field):
            field.verbose_name = _lazy(field.verbose_name)


def _lazy(name: Any) -> Any:
    return name if isinstance(name, Promise) else gettext_lazy(str(name))
