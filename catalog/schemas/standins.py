"""Put invented values in place of what a schema marks `x-sensitive`, so that data may travel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.schemas.masking import Path, hidden
from catalog.schemas.parts import Part, Together
from catalog.schemas.reading import Resolve, Schema, pointer_to
from catalog.schemas.samples import has_type, sample_of


@dataclass(frozen=True, kw_only=True, slots=True)
class StandIn:
    """What stands at `pointer` in place of a value; `sensitive` is its data class."""

    pointer: str
    title: str
    sensitive: str
    value: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Harmless:
    """Data without its sensitive values; `taken` are the texts and numbers that were in them."""

    data: object
    stand_ins: tuple[StandIn, ...] = ()
    taken: frozenset[str] = frozenset()


def without_sensitive(
    data: object, document: str | bytes | Schema, *, resolve: Resolve | None = None
) -> Harmless:
    """Return the data with an invented value in place of each sensitive one.

    Sensitive is what `masking.mask` hides. A stand-in is made of the schema alone, by its examples
    if it has any, so it says nothing of the value; null stays null. The same schema always gets the
    same one. An unusual schema may ask for more than it can do: hold the result against it.
    """
    found: list[StandIn] = []
    taken: set[str] = set()

    def hide(value: object, parts: list[Part], path: Path) -> object:
        if value is None:
            return None
        taken.update(_scalars(value))
        made = _invented(value, parts, resolve)
        title, sensitive = _told(parts, resolve)
        name = next((str(one) for one in reversed(path) if isinstance(one, str)), "")
        found.append(
            StandIn(pointer=pointer_to(path), title=title or name, sensitive=sensitive, value=made)
        )
        return made

    harmless = hidden(data, document, hide, resolve=resolve)
    return Harmless(data=harmless, stand_ins=tuple(found), taken=frozenset(taken))


def _invented(value: object, parts: list[Part], resolve: Resolve | None) -> object:
    """Return an example of the first part that makes one of the value's own JSON type."""
    kind = _type_of(value)
    made = [sample_of(part.schema, part.root, resolve=resolve) for part in parts if part.is_sure]
    return next((one for one in made if has_type(one, (kind,))), made[0] if made else None)


def _told(parts: list[Part], resolve: Resolve | None) -> tuple[str, str]:
    """Return the first title, and the first data class."""
    read = [Together(part.schema, part.root, resolve) for part in parts]
    title = next((one.text("title") for one in read if one.text("title")), "")
    return title, next((one.sensitive for one in read if one.sensitive), "")


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, Mapping):
        return "object"
    return "string" if isinstance(value, str) else "array"


def _scalars(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _scalars(one)
    elif isinstance(value, list):
        for one in value:
            yield from _scalars(one)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield str(value)
