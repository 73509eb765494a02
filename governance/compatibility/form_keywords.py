"""What the keywords ask that hold other schemas to the same value.

One reader a keyword, as the declared draft reads it; see ``keywords``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from governance.compatibility import apartness
from governance.compatibility import formulas as f
from governance.compatibility.documents import Dialect, Located
from governance.compatibility.keywords import Part, Raw, Readers

if TYPE_CHECKING:
    from governance.compatibility.compiling import Compiler

LARGEST_ONE_OF = 40  # its opposite needs each pair of alternatives
READERS = Readers()
reads = READERS.reads


def alternatives(c: Compiler, node: Located, keyword: str, raw: Raw) -> list[f.Formula]:
    """Return the formulas of a list of schemas."""
    written = raw[keyword]
    if not isinstance(written, list):
        raise TypeError(f"{keyword} is not a list")
    return [c.below(node, keyword, index) for index in range(len(written))]


@reads("allOf")
def read_all_of(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``allOf``, one part a schema."""
    for index, formula in enumerate(alternatives(c, node, "allOf", raw)):
        yield Part(keyword="allOf", detail=str(index), formula=formula)


@reads("anyOf")
def read_any_of(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``anyOf``."""
    formula = c.algebra.either(alternatives(c, node, "anyOf", raw))
    yield Part(keyword="anyOf", formula=formula)


@reads("oneOf")
def read_one_of(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``oneOf``: one holds at least, and of each pair one does not."""
    choices = alternatives(c, node, "oneOf", raw)
    if len(choices) > LARGEST_ONE_OF:
        raise ValueError("too many alternatives")
    algebra = c.algebra
    signatures = [
        apartness.signature(c, node.child("oneOf", index)) for index in range(len(choices))
    ]
    parts = [algebra.either(choices)]
    for (one, left), (other, right) in combinations(zip(choices, signatures, strict=True), 2):
        if not left.excludes(right):
            parts.append(algebra.either((algebra.opposite(one), algebra.opposite(other))))
    yield Part(keyword="oneOf", formula=algebra.both(parts))


@reads("not")
def read_not(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``not``."""
    yield Part(keyword="not", formula=c.algebra.opposite(c.below(node, "not")))


@reads("if", first=Dialect.DRAFT_07)
def read_condition(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``if``, ``then`` and ``else``."""
    condition = c.below(node, "if")
    algebra = c.algebra
    if "then" in raw:
        formula = algebra.either((algebra.opposite(condition), c.below(node, "then")))
        yield Part(keyword="if", detail="then", formula=formula)
    if "else" in raw:
        formula = algebra.either((condition, c.below(node, "else")))
        yield Part(keyword="if", detail="else", formula=formula)


@reads("$ref")
def read_ref(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``$ref``."""
    yield Part(keyword="$ref", formula=c.reference(node, "$ref"))


@reads("$dynamicRef", first=Dialect.DRAFT_2020_12)
def read_dynamic_ref(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``$dynamicRef`` where only one schema can be meant."""
    if "$ref" in raw:
        raise ValueError("both references at one place")
    yield Part(keyword="$dynamicRef", formula=c.reference(node, "$dynamicRef"))


@reads("$recursiveRef", first=Dialect.DRAFT_2019_09, last=Dialect.DRAFT_2019_09)
def read_recursive_ref(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``$recursiveRef`` where no schema asks for another start."""
    if "$ref" in raw:
        raise ValueError("both references at one place")
    yield Part(keyword="$recursiveRef", formula=c.reference(node, "$recursiveRef"))
