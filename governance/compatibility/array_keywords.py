"""What the keywords ask that speak of the entries of an array.

One reader a keyword, as the declared draft reads it; see ``keywords``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from governance.compatibility import formulas as f
from governance.compatibility import unevaluated
from governance.compatibility.algebra import ALWAYS
from governance.compatibility.documents import Dialect, Located
from governance.compatibility.keywords import Part, Raw, Readers, whole
from governance.compatibility.values import JsonType, identity

if TYPE_CHECKING:
    from governance.compatibility.compiling import Compiler

READERS = Readers()
reads = READERS.reads


def prefix_length(node: Located, raw: Raw) -> int:
    """Return how many leading entries have a schema of their own."""
    keyword = "prefixItems" if node.document.dialect >= Dialect.DRAFT_2020_12 else "items"
    prefix = raw.get(keyword)
    return len(prefix) if isinstance(prefix, list) else 0


def read_prefix(c: Compiler, node: Located, keyword: str, prefix: list[object]) -> Iterator[Part]:
    """Yield one part for each leading entry."""
    for index in range(len(prefix)):
        formula = c.algebra.each_item(index, index + 1, c.below(node, keyword, index))
        yield Part(keyword=keyword, detail=str(index), formula=formula)


@reads("items")
def read_items(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``items``: the older list form, or all entries after the prefix."""
    items = raw["items"]
    if isinstance(items, list):
        if node.document.dialect >= Dialect.DRAFT_2020_12:
            raise TypeError("2020-12 has no list form of items")
        yield from read_prefix(c, node, "items", items)
    else:
        start = prefix_length(node, raw)
        formula = c.algebra.each_item(start, None, c.below(node, "items"))
        yield Part(keyword="items", formula=formula)


@reads("prefixItems", first=Dialect.DRAFT_2020_12)
def read_prefix_items(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``prefixItems``, one part an entry."""
    prefix = raw["prefixItems"]
    if not isinstance(prefix, list):
        raise TypeError("prefixItems is not a list")
    yield from read_prefix(c, node, "prefixItems", prefix)


@reads("additionalItems", last=Dialect.DRAFT_2019_09)
def read_additional_items(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``additionalItems``: it counts only beside the list form of ``items``.

    Without any ``items`` validators must ignore it, and some do not: there it is a remark.
    """
    if isinstance(raw.get("items"), list):
        start = prefix_length(node, raw)
        formula = c.algebra.each_item(start, None, c.below(node, "additionalItems"))
        yield Part(keyword="additionalItems", formula=formula)
    elif "items" not in raw:
        meant = c.algebra.each_item(0, None, c.below(node, "additionalItems"))
        if meant is not ALWAYS:
            written = identity(raw["additionalItems"])
            formula = c.algebra.make(f.Remark, "additionalItems", written, JsonType.ARRAY, meant)
            yield Part(keyword="additionalItems", formula=formula)


@reads("contains", first=Dialect.DRAFT_06)
def read_contains(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``contains`` with its bounds."""
    least, most = 1, None
    if node.document.dialect >= Dialect.DRAFT_2019_09:
        least = whole(raw.get("minContains", 1))
        most = whole(raw["maxContains"]) if "maxContains" in raw else None
    if least == 0 and most is None:
        return
    inner = c.below(node, "contains")
    yield Part(keyword="contains", formula=c.algebra.make(f.Counted, inner, least, most))


@reads("uniqueItems")
def read_unique_items(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``uniqueItems``."""
    if raw["uniqueItems"] is True:
        yield Part(keyword="uniqueItems", formula=c.algebra.make(f.Distinct, False))


@reads("unevaluatedItems", first=Dialect.DRAFT_2019_09)
def read_unevaluated_items(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``unevaluatedItems``."""
    formula = unevaluated.items_formula(c, node)
    yield Part(keyword="unevaluatedItems", formula=formula)
