"""One more field in a schema, as someone says it in a form."""

from __future__ import annotations

import json
from uuid import uuid4

from catalog import schemas
from catalog.schemas import Row, RowKind


def add_field(
    document: str,
    *,
    name: str,
    title: str,
    kind: str,
    meaning: str,
    example: str = "",
    is_required: bool = False,
    is_sensitive: bool = False,
) -> str:
    """Return the JSON Schema with one more field at its top, everything else as it was.

    Raises ValueError where the document is no schema, or the field does not fit into it.
    """
    row = Row(
        key=f"new-{uuid4()}",
        name=name,
        kind=RowKind(kind),
        title=title or name,
        meaning=meaning,
        is_required=is_required,
        has_example=bool(example),
        example=_value(example, kind),
        sensitive="personal" if is_sensitive else "",
    )
    changed = schemas.apply_rows(document, [*schemas.to_rows(document), row])
    return json.dumps(changed, indent=2, ensure_ascii=False)


def _value(example: str, kind: str) -> object:
    """Return the typed example as the field holds it; what does not read as that stays text."""
    if kind in {RowKind.INTEGER, RowKind.NUMBER, RowKind.BOOLEAN}:
        try:
            return json.loads(example)
        except (ValueError, RecursionError):
            return example
    return example
