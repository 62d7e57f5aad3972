"""The names of models and fields in the reader's language, those too that Django makes of the Python name."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.db.models import Field
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


def translate_names(configs: Iterable[AppConfig]) -> None:
    """Make every name of our models lazy. Migrations do not see it: they keep what the model's author wrote."""
    for config in configs:
        for model in config.get_models():
            meta: Any = model._meta
            meta.verbose_name, meta.verbose_name_plural = _lazy(meta.verbose_name), _lazy(meta.verbose_name_plural)
            for field in model._meta.get_fields():
                if isinstance(field, Field):
                    field.verbose_name = _lazy(field.verbose_name)


def _lazy(name: Any) -> Any:
    return name if isinstance(name, Promise) else gettext_lazy(str(name))
