"""The form of one field of a contract: text that people type, values that rows keep.

What was not changed keeps its value, however little of it the text shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.schemas import Row, RowKind
from catalog.schemas.arranging import holds_fields, levels

MAX_ROWS = 300  # a larger schema is edited as JSON: the browser posts a dozen values a row
PREFIX = "rows"

KINDS = [
    (RowKind.TEXT, _("Text")),
    (RowKind.INTEGER, _("Whole number")),
    (RowKind.NUMBER, _("Number")),
    (RowKind.BOOLEAN, _("Yes or no")),
    (RowKind.DATE_TIME, _("Date and time")),
    (RowKind.DATE, _("Date")),
    (RowKind.EMAIL, _("E-mail address")),
    (RowKind.ADDRESS, _("Web address")),
    (RowKind.IDENTIFIER, _("Unique identifier (UUID)")),
    (RowKind.OBJECT, _("Group of fields")),
    (RowKind.LIST, _("List")),
]
OTHER_KIND = (RowKind.OTHER, _("As the JSON says"))
ENTRIES = [
    (RowKind.OTHER, _("Anything, or as the JSON says")),
    *[(kind, word) for kind, word in KINDS if kind is not RowKind.LIST],
    (RowKind.LIST, _("Lists")),
]
CLASSES = [
    ("", _("Nothing about a person")),
    ("personal", _("Personal")),
    ("contact", _("Contact")),
    ("identity", _("Identity")),
    ("financial", _("Financial")),
    ("health", _("Health")),
    ("internal", _("Internal")),
]
_AS_JSON = frozenset(
    {
        RowKind.INTEGER,
        RowKind.NUMBER,
        RowKind.BOOLEAN,
        RowKind.OBJECT,
        RowKind.LIST,
        RowKind.OTHER,
    }
)


class ShapeSelect(forms.Select):
    """A choice after which the row looks otherwise: what may stand in it, what its entries are.

    htmx takes the step at once; without it any other step does.
    """

    def __init__(self) -> None:
        step = {"hx-post": "", "hx-trigger": "change", "hx-vals": '{"do": "shape"}'}
        super().__init__({**step, "hx-target": "#contract", "hx-swap": "outerHTML"})


class RowForm(forms.Form):
    """One field. Nothing is required here: a row that says too little is told at its place."""

    key = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    parent = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    name = forms.CharField(label=_("Name in the data"), max_length=200, required=False, strip=False)
    kind = forms.ChoiceField(label=_("Holds"), choices=[*KINDS, OTHER_KIND], widget=ShapeSelect())
    entry = forms.ChoiceField(
        label=_("Entries hold"), choices=ENTRIES, required=False, widget=ShapeSelect()
    )
    is_required = forms.BooleanField(label=_("Always there"), required=False)
    meaning = forms.CharField(
        label=_("Meaning"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 1, "class": "low"}),
    )
    title = forms.CharField(label=_("Title"), max_length=200, required=False, strip=False)
    allowed = forms.CharField(
        label=_("Allowed values, one a line"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "low"}),
    )
    example = forms.CharField(label=_("Example"), required=False, strip=False)
    sensitive = forms.ChoiceField(label=_("Says of a person"), choices=CLASSES, required=False)
    is_searchable = forms.BooleanField(label=_("Find events by it"), required=False)
    is_nullable = forms.BooleanField(label=_("May be empty (null)"), required=False)

    def __init__(self, *args: Any, row: Row | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        marked = row.sensitive if row else str(self.data.get(self.add_prefix("sensitive"), ""))
        if marked and marked not in dict(CLASSES):
            self._choices("sensitive", [*CLASSES, (marked, marked)])
        if row is not None and row.kind is not RowKind.OTHER:
            self._choices("kind", KINDS)

    def _choices(self, name: str, choices: Sequence[tuple[Any, Any]]) -> None:
        chosen = self.fields[name]
        assert isinstance(chosen, forms.ChoiceField)  # noqa: S101 - tells the type check
        chosen.choices = choices


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownRow:
    """A row as the editor draws it: its form, how deep it stands, and what is wrong with it."""

    row: Row
    form: RowForm
    level: int
    holds_fields: bool
    faults: Sequence[str] = ()
    has_focus: bool = False


def shown(
    rows: Sequence[Row], *, faults: Mapping[str, Sequence[str]], focus: str
) -> list[ShownRow]:
    """Return the rows with their forms, in their order."""
    deep = levels(rows)
    return [
        ShownRow(
            row=row,
            form=RowForm(row=row, initial=_initial(row), prefix=f"{PREFIX}-{place}"),
            level=deep[row.key],
            holds_fields=holds_fields(row),
            faults=faults.get(row.key, ()),
            has_focus=row.key == focus,
        )
        for place, row in enumerate(rows)
    ]


def read(values: Mapping[str, Any], before: Sequence[Row]) -> list[Row]:
    """Return the rows that were posted; `before` are those of the document that they edit."""
    was = {row.key: row for row in before}
    count = min(_number(values.get(f"{PREFIX}-count")), MAX_ROWS)
    forms_ = [RowForm(values, prefix=f"{PREFIX}-{place}") for place in range(count)]
    return [
        _row(form.cleaned_data, was.get(form.cleaned_data.get("key", "")))
        for form in forms_
        if form.is_valid() or form.cleaned_data
    ]


def _number(text: object) -> int:
    return int(str(text)) if re.fullmatch(r"[0-9]{1,4}", str(text)) else 0


def _initial(row: Row) -> dict[str, object]:
    return {
        "key": row.key,
        "parent": row.parent,
        "name": row.name,
        "kind": row.kind,
        "entry": row.entry or RowKind.TEXT,
        "is_required": row.is_required,
        "meaning": row.meaning,
        "title": row.title,
        "allowed": "\n".join(map(as_text, row.allowed)),
        "example": as_text(row.example) if row.has_example else "",
        "sensitive": row.sensitive,
        "is_searchable": row.is_searchable,
        "is_nullable": row.is_nullable,
    }


def _row(typed: Mapping[str, Any], was: Row | None) -> Row:
    """Return the row that was typed; `was` is what the editor showed in its place."""
    before = _Before(was)
    kind = RowKind(typed.get("kind") or (was.kind if was else RowKind.TEXT))
    has_example, example = before.example(typed.get("example", ""), kind)
    return Row(
        key=typed.get("key") or "new",
        parent=typed.get("parent", ""),
        name=before.kept("name", typed.get("name", "")),
        kind=kind,
        # What was no list before had no choice of what its entries hold.
        entry=RowKind(typed.get("entry") or RowKind.TEXT) if kind is RowKind.LIST else None,
        title=before.kept("title", typed.get("title", "")),
        meaning=before.kept("meaning", typed.get("meaning", "")),
        is_required=bool(typed.get("is_required")),
        is_nullable=bool(typed.get("is_nullable")),
        allowed=before.allowed(typed.get("allowed", ""), kind),
        has_example=has_example,
        example=example,
        sensitive=typed.get("sensitive", ""),
        is_searchable=bool(typed.get("is_searchable")),
    )


@dataclass(frozen=True, slots=True)
class _Before:
    """What stood in a row before somebody typed, so that what was not touched stays as it was."""

    row: Row | None
    shown: Mapping[str, object] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", _initial(self.row) if self.row else {})

    def is_same(self, name: str, typed: str) -> bool:
        return self.row is not None and _plain(typed) == _plain(str(self.shown[name]))

    def kept(self, name: str, typed: str) -> str:
        return str(getattr(self.row, name)) if self.is_same(name, typed) else typed.strip()

    def example(self, typed: str, kind: RowKind) -> tuple[bool, object]:
        if self.row is not None and self.is_same("example", typed) and kind is self.row.kind:
            return self.row.has_example, self.row.example
        text = typed.strip()
        return bool(text), as_value(text, kind) if text else None

    def allowed(self, typed: str, kind: RowKind) -> tuple[object, ...]:
        known: dict[str, object] = {}
        if self.row is not None and kind is self.row.kind:
            if self.is_same("allowed", typed):
                return self.row.allowed
            known = {as_text(value): value for value in self.row.allowed}
        lines = (line.strip() for line in typed.splitlines())
        return tuple(known.get(line, as_value(line, kind)) for line in lines if line)


def _plain(text: str) -> str:
    """Return the text without what a browser changes: line ends, and breaks in one-line inputs."""
    return re.sub(r"[\r\n]+", "\n", text).strip("\n").replace("\n", " ")


def as_text(value: object) -> str:
    """Return a JSON value as someone would type it: texts bare, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_value(text: str, kind: RowKind) -> object:
    """Return the typed text as such a field holds it; what does not read as that stays text."""
    if kind not in _AS_JSON:
        return text
    try:
        value: object = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return value
