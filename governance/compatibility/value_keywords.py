"""What the keywords ask that speak of a value itself: its type, bounds, pattern, format.

One reader a keyword, as the declared draft reads it; see ``keywords``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from governance.compatibility import automata, formats
from governance.compatibility import formulas as f
from governance.compatibility.algebra import ALWAYS, Algebra
from governance.compatibility.documents import Dialect, Located
from governance.compatibility.keywords import Part, Raw, Read, Readers, whole
from governance.compatibility.values import JsonType, exact

if TYPE_CHECKING:
    from governance.compatibility.compiling import Compiler

READERS = Readers()
reads = READERS.reads


def type_formula(algebra: Algebra, name: object) -> f.Formula:
    """Return the formula of one type name."""
    if name == "integer":
        kinds = algebra.of_type((JsonType.NUMBER,))
        return algebra.both((kinds, algebra.make(f.MultipleOf, exact(1))))
    if name == "any":  # draft-03, still met in the wild
        return ALWAYS
    return algebra.of_type((JsonType(str(name)),))


@reads("type")
def read_type(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``type``: a name or a list of names."""
    written = raw["type"]
    names = written if isinstance(written, list) else [written]
    kinds = c.algebra.either(type_formula(c.algebra, name) for name in names)
    yield Part(keyword="type", formula=kinds)


@reads("enum")
def read_enum(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``enum``."""
    values = raw["enum"]
    if not isinstance(values, list):
        raise TypeError("enum is not a list")
    yield Part(keyword="enum", formula=c.algebra.any_of_values(values))


@reads("const", first=Dialect.DRAFT_06)
def read_const(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``const``."""
    yield Part(keyword="const", formula=c.algebra.any_of_values([raw["const"]]))


def is_made_strict(node: Located, raw: Raw, keyword: str) -> bool:
    """Return whether draft-04's boolean flag makes a bound strict."""
    flag = raw.get(keyword, False)
    is_flag = node.document.dialect is Dialect.DRAFT_04
    if is_flag is not isinstance(flag, bool) and keyword in raw:
        raise ValueError(f"{keyword} is of another draft")
    return flag is True


@reads("minimum")
def read_minimum(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``minimum``."""
    strict = is_made_strict(node, raw, "exclusiveMinimum")
    yield Part(keyword="minimum", formula=c.algebra.make(f.AtLeast, exact(raw["minimum"]), strict))


@reads("maximum")
def read_maximum(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``maximum``."""
    strict = is_made_strict(node, raw, "exclusiveMaximum")
    yield Part(keyword="maximum", formula=c.algebra.make(f.AtMost, exact(raw["maximum"]), strict))


@reads("exclusiveMinimum")
def read_exclusive_minimum(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read the numeric ``exclusiveMinimum``; the boolean one is part of ``minimum``."""
    is_made_strict(node, raw, "exclusiveMinimum")
    bound = raw["exclusiveMinimum"]
    if not isinstance(bound, bool):
        formula = c.algebra.make(f.AtLeast, exact(bound), True)
        yield Part(keyword="exclusiveMinimum", formula=formula)


@reads("exclusiveMaximum")
def read_exclusive_maximum(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read the numeric ``exclusiveMaximum``; the boolean one is part of ``maximum``."""
    is_made_strict(node, raw, "exclusiveMaximum")
    bound = raw["exclusiveMaximum"]
    if not isinstance(bound, bool):
        formula = c.algebra.make(f.AtMost, exact(bound), True)
        yield Part(keyword="exclusiveMaximum", formula=formula)


@reads("multipleOf")
def read_multiple_of(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``multipleOf``; a divisor that is not positive is malformed."""
    divisor = exact(raw["multipleOf"])
    if divisor <= 0:
        raise ValueError("multipleOf must be positive")
    yield Part(keyword="multipleOf", formula=c.algebra.make(f.MultipleOf, divisor, False))


COUNTS: dict[str, tuple[type[f.Length | f.ItemCount | f.PropertyCount], bool]] = {
    "minLength": (f.Length, True),
    "maxLength": (f.Length, False),
    "minItems": (f.ItemCount, True),
    "maxItems": (f.ItemCount, False),
    "minProperties": (f.PropertyCount, True),
    "maxProperties": (f.PropertyCount, False),
}


def read_count(keyword: str) -> Read:
    """Return the reader of one bound on a length or count."""
    kind, is_lower = COUNTS[keyword]

    def read(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
        count = whole(raw[keyword])
        least, most = (count, None) if is_lower else (0, count)
        formula = ALWAYS if is_lower and count == 0 else c.algebra.make(kind, least, most)
        yield Part(keyword=keyword, formula=formula)

    return read


for _keyword in COUNTS:
    reads(_keyword)(read_count(_keyword))


@reads("pattern")
def read_pattern(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``pattern``: one that is found in every text (``[a-z]*``) is a remark.

    Validators refuse nothing for it; whoever wrote it meant the whole text to be like this.
    """
    pattern = raw["pattern"]
    if not isinstance(pattern, str):
        raise TypeError("pattern is not a string")
    formula: f.Formula = c.algebra.make(f.Matches, pattern, False)
    if automata.is_found_everywhere(pattern):
        meant = c.algebra.make(f.Matches, f"^(?:{pattern})$", False)
        formula = c.algebra.make(f.Remark, "pattern", pattern, JsonType.STRING, meant)
    yield Part(keyword="pattern", formula=formula)


@reads("format")
def read_format(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``format``: asserted if this draft's checker knows the name, else a remark."""
    name = raw["format"]
    if isinstance(name, str) and formats.is_asserted(name, node.document.dialect):
        yield Part(keyword="format", formula=c.algebra.make(f.HasFormat, name, False))


def read_remark(keyword: str) -> Read:
    """Return the reader of how a text carries other content: unchecked, yet readers rely on it."""

    def read(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
        written = raw[keyword]
        if isinstance(written, str):
            formula = c.algebra.make(f.Remark, keyword, written, JsonType.STRING, None)
            yield Part(keyword=keyword, formula=formula)

    return read


for _keyword in ("contentEncoding", "contentMediaType"):
    reads(_keyword, first=Dialect.DRAFT_07)(read_remark(_keyword))
