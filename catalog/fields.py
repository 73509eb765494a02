"""Column types that the models share."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.expressions import Func, Value

from catalog.ids import uuid7


class NextNumber(Func):
    """`nextval` of a sequence, as a database default."""

    function = "nextval"

    def __init__(self, sequence: str) -> None:
        super().__init__(Value(sequence), output_field=models.BigIntegerField())
        self.sequence = sequence

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return "catalog.fields.NextNumber", [self.sequence], {}


class Identified(models.Model):
    """A row known by a UUIDv7 made in Python."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True
