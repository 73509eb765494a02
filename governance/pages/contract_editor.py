"""A contract on its way through the editor's page: as fields or as JSON, one step after the other.

The page posts what it shows. As fields that is the document that the rows were made of, and the
rows; they are carried into the document as soon as they fit, and kept as typed until then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog import schemas
from catalog.schemas import Malformed, Problem, Row, RowKind, Unfit, arranging
from catalog.schemas.reading import at_pointer
from governance import lint, row_forms

EMPTY = (
    '{\n  "$schema": "https://json-schema.org/draft/2020-12/schema",\n'
    '  "type": "object",\n  "properties": {},\n  "additionalProperties": true\n}'
)
_STEP = re.compile(r"(add|add-in|remove|up|down)(?::([0-9]{1,3}))?")


class View(StrEnum):
    """How the contract is shown."""

    FIELDS = "fields"
    JSON = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Editor:
    """What the page shows. `focus` is the key of the row to go on with."""

    document: str
    view: View = View.JSON
    rows: Sequence[Row] = ()
    problems: Sequence[Problem] = ()
    focus: str = ""

    @property
    def shown(self) -> list[row_forms.ShownRow]:
        """Return the rows as they are drawn, each with what is wrong with it."""
        faults: dict[str, list[str]] = {}
        for problem in self.problems:
            if problem.pointer != self.focus:  # nobody is told off before they could type
                faults.setdefault(problem.pointer, []).append(problem.message)
        return row_forms.shown(self.rows, faults=faults, focus=self.focus)

    @property
    def is_as_fields(self) -> bool:
        """Tell whether rows are shown, and not the JSON."""
        return self.view is View.FIELDS


def opened(document: str, *, view: str = View.FIELDS) -> Editor:
    """Return the editor of a document: as JSON if asked for, or if it cannot be shown as fields."""
    if view != View.FIELDS:
        return Editor(document=document)
    try:
        rows = schemas.to_rows(document)
    except Malformed as error:
        return Editor(document=document, problems=error.problems)
    if len(rows) > row_forms.MAX_ROWS or schemas.read(document) is False:
        return Editor(document=document)
    return Editor(document=document, view=View.FIELDS, rows=rows)


def typed(values: Mapping[str, Any]) -> Editor:
    """Return the editor with what was typed, after the step that was asked for by `do`."""
    document = str(values.get("document", "")).replace("\r\n", "\n")
    if values.get("view") != View.FIELDS:
        return Editor(document=document)
    try:
        before = schemas.to_rows(document)
    except Malformed as error:
        return Editor(document=document, problems=error.problems)
    rows, focus = _stepped(row_forms.read(values, before), str(values.get("do", "")))
    return replace(_settled(document, arranging.reachable(rows)), focus=focus)


def _settled(document: str, rows: Sequence[Row]) -> Editor:
    """Carry the rows into the document; those that do not fit stay as they were typed."""
    try:
        changed = schemas.apply_rows(document, rows)
    except Unfit as error:
        return Editor(document=document, view=View.FIELDS, rows=rows, problems=error.problems)
    was = schemas.read(document)
    if json.dumps(changed) == json.dumps(was) or (was is True and not rows):
        return opened(document)
    return opened(json.dumps(changed, indent=2, ensure_ascii=False))


def _stepped(rows: list[Row], command: str) -> tuple[list[Row], str]:
    """Return the rows after one step, and the key of the row to go on with."""
    asked = _STEP.fullmatch(command)
    if asked is None:
        return rows, ""
    step, place = asked[1], int(asked[2] or 0)
    if step == "add":
        row = _new(rows, parent="")
        return arranging.with_row(rows, row), row.key
    if place >= len(rows):
        return rows, ""
    here = rows[place]
    if step == "add-in":
        row = _new(rows, parent=here.key)
        return arranging.with_row(rows, row), row.key
    if step == "remove":
        left = arranging.without_row(rows, here.key)
        return left, left[min(place, len(left) - 1)].key if left else ""
    return arranging.moved(rows, here.key, by=-1 if step == "up" else 1), here.key


def _new(rows: Sequence[Row], *, parent: str) -> Row:
    keys = {row.key for row in rows}
    key = next(f"new-{n}" for n in range(len(rows) + 1) if f"new-{n}" not in keys)
    return Row(key=key, parent=parent, name="", kind=RowKind.TEXT)


def stated(document: str, *, view: str) -> Editor:
    """Return the editor of the document that says of each object that more may come along."""
    if schemas.problems(document):
        return opened(document, view=view)
    schema = json.loads(document)
    for pointer in list(lint.unstated(schema)):
        node = at_pointer(schema, pointer)
        if isinstance(node, dict):
            node["additionalProperties"] = True
    return opened(json.dumps(schema, indent=2, ensure_ascii=False), view=view)


def inferred(text: str) -> Editor:
    """Return the editor of the contract that a sample suggests.

    `text` is JSON: the data of one event, a list of such, or whole CloudEvents. Raises
    ValidationError for anything else.
    """
    try:
        sample = json.loads(text)
        json.dumps(sample, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise ValidationError(_("The sample is not JSON: %s.") % error) from None
    found = [_data(one) for one in (sample if isinstance(sample, list) else [sample])]
    if not found or not all(isinstance(one, dict) for one in found):
        raise ValidationError(_("A sample is an object with named fields, or a list of them."))
    document = json.dumps(schemas.infer(found), indent=2, ensure_ascii=False)
    problems = schemas.problems(document)
    if problems:
        raise ValidationError(problems[0].message)
    return opened(document)


def _data(sample: object) -> object:
    """Return the data of a whole CloudEvent; everything else is data already."""
    is_event = isinstance(sample, dict) and "specversion" in sample and "data" in sample
    return sample["data"] if is_event and isinstance(sample, dict) else sample
