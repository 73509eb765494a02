"""Forms in sections: fields that answer one question stand under its title, rare ones folded.

A form says so with `SECTIONS`; `{% form form %}` draws it. Fields that no section names come first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.forms import BaseForm
from django.forms.boundfield import BoundField
from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """The names of fields under one title; folded where few people need them."""

    title: Text = ""
    names: Sequence[str]
    is_folded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A section as it is drawn; a folded one is open where something was chosen or is wrong."""

    title: Text
    fields: Sequence[BoundField]
    is_folded: bool
    is_open: bool


def of(form: BaseForm, names: Collection[str] | None = None) -> list[Shown]:
    """Return the form's visible fields in sections, only those of `names` where it is given."""
    wanted = [one for one in form.visible_fields() if names is None or one.name in names]
    return [one for one in _sections(form, wanted) if one.fields]


def _sections(form: BaseForm, wanted: Sequence[BoundField]) -> Iterator[Shown]:
    declared: Sequence[Section] = getattr(form, "SECTIONS", ())
    placed = {name for section in declared for name in section.names}
    by_name = {one.name: one for one in wanted}
    yield _shown(Section(names=[name for name in by_name if name not in placed]), by_name)
    for section in declared:
        yield _shown(section, by_name)


def _shown(section: Section, by_name: dict[str, BoundField]) -> Shown:
    fields = [by_name[name] for name in section.names if name in by_name]
    return Shown(
        title=section.title,
        fields=fields,
        is_folded=section.is_folded,
        is_open=any(one.errors or _is_chosen(one) for one in fields),
    )


def _is_chosen(bound: BoundField) -> bool:
    value = bound.value()
    return value not in (None, "", False, []) and str(value) != str(bound.field.initial)
