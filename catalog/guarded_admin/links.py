"""Links between the pages of the Django admin, and values as it shows them."""

from __future__ import annotations

import json

from django.db import models
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html

Text = str | Promise


def pretty(value: object) -> str:
    """Return a JSON value as preformatted text."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))


def list_url(model: type[models.Model], **filters: object) -> str:
    """Return the address of a model's list, narrowed to what the filters say."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return url + "?" + "&".join(f"{name}={value}" for name, value in filters.items())


def change_url(thing: models.Model) -> str:
    """Return the address of a thing's page in the admin."""
    meta = thing._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[thing.pk])


def to_list(model: type[models.Model], label: Text, **filters: object) -> str:
    """Return a link to a list."""
    return format_html('<a href="{}">{}</a>', list_url(model, **filters), label)
