"""Rows of every model as a migration left it, with values that only have to be allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.apps.registry import Apps
from django.db import models
from django.utils import timezone

from catalog.ids import uuid7

Values = Mapping[str, object]
OURS = ("catalog", "governance", "delivery")
VALUES: Mapping[str, Callable[[], object]] = {
    "BinaryField": lambda: uuid7().bytes,
    "BooleanField": bool,
    "DateField": lambda: timezone.now().date(),
    "DateTimeField": timezone.now,
    "DurationField": timedelta,
    "JSONField": dict,
    "UUIDField": uuid7,
}
TEXTS = frozenset(("CharField", "EmailField", "SlugField", "TextField", "URLField"))


def seed(apps: Apps, special: Mapping[str, Values]) -> dict[str, models.Model]:
    """Make one row of each model of ours; return them by label.

    `special` has the values that constraints of a model ask for, by its label; a value that is a
    label means that row.
    """
    made: dict[str, models.Model] = {}
    waiting = [one for one in apps.get_models() if one._meta.app_label in OURS]
    while waiting:
        ready = [one for one in waiting if _needs(one, special) <= made.keys()]
        assert ready, f"these wait for each other: {[one._meta.label for one in waiting]}"
        for model in ready:
            given = special.get(model._meta.label, {})
            # What a migration put there is there already.
            made[model._meta.label] = model._base_manager.first() or _make(model, made, given)
        waiting = [one for one in waiting if one not in ready]
    return made


def _needs(model: type[models.Model], special: Mapping[str, Values]) -> set[str]:
    given = special.get(model._meta.label, {})
    named = {str(value) for value in given.values() if _is_label(value)}
    keys = [field for field in _required(model) if isinstance(field, models.ForeignKey)]
    return named | {
        str(field.related_model._meta.label)
        for field in keys
        if field.name not in given and field.related_model._meta.app_label in OURS
    }


def _is_label(value: object) -> bool:
    return isinstance(value, str) and value.split(".")[0] in OURS and value.count(".") == 1


def _required(model: type[models.Model]) -> list[Any]:
    return [
        field
        for field in model._meta.fields
        if not (field.null or field.has_default() or isinstance(field, models.AutoField))
    ]


def _make(model: type[models.Model], made: dict[str, models.Model], given: Values) -> models.Model:
    values = {field.name: _value(field, made) for field in _required(model)}
    values |= {
        name: made[str(value)] if _is_label(value) else value for name, value in given.items()
    }
    return model._base_manager.create(**values)


def _value(field: Any, made: dict[str, models.Model]) -> object:
    if isinstance(field, models.ForeignKey):
        related = field.related_model
        if related._meta.label not in made:
            made[related._meta.label] = _make(related, made, {})
        return made[related._meta.label]
    if field.choices:
        return field.choices[0][0]
    kind = field.get_internal_type()
    if kind in VALUES:
        return VALUES[kind]()
    return f"{field.name}-1"[: field.max_length] if kind in TEXTS else 1
