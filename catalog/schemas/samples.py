"""Make an example document of a schema."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.schemas.parts import Part, Together, merged, names
from catalog.schemas.patterns import matching_text
from catalog.schemas.reading import Malformed, Resolve, Schema, read
from catalog.schemas.validating import Validator, validator_for

_MAX_LEVELS = 12
_MAX_ENTRIES = 20
_MAX_VALUES = 2_000  # definitions that each use the next one twice would grow without end
_BY_FORMAT = {
    "date-time": "2026-11-12T13:31:07Z",
    "date": "2026-11-12",
    "time": "13:31:07Z",
    "duration": "PT15M",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/a",
    "uri-reference": "/a",
    "iri": "https://example.com/a",
    "iri-reference": "/a",
    "uri-template": "/orders/{id}",
    "uuid": "0198f0a4-5b6c-7d8e-9f01-23456789abcd",
    "json-pointer": "/a",
    "relative-json-pointer": "0",
    "regex": "^a$",
}


def sample(document: str | bytes | Schema, *, resolve: Resolve | None = None) -> object:
    """Return an example document: every declared field, by the schema's own examples if it has any.

    It keeps the contract wherever the maker is able to; a schema with `not`, `if` or unusual
    patterns may ask for more than it can do, then it is only close. The same schema always gets
    the same example.
    """
    schema = read(document)
    whole = Together(schema, schema, resolve)
    check = _validator(schema, resolve)
    for value in whole.examples():
        if check is None or check.is_valid(value):
            return value
    full = _Maker(resolve, only_required=False).make(schema, schema, 0)
    if check is None or check.is_valid(full):
        return full
    small = _Maker(resolve, only_required=True).make(schema, schema, 0)
    return small if check.is_valid(small) else full


def sample_of(schema: Schema, root: Schema, *, resolve: Resolve | None = None) -> object:
    """Return an example of a schema that stands somewhere in the document `root`."""
    return _Maker(resolve, only_required=False).make(schema, root, 0)


def _validator(schema: Schema, resolve: Resolve | None) -> Validator | None:
    try:
        return validator_for(schema, resolve=resolve)
    except Malformed:
        return None


class _Maker:
    def __init__(self, resolve: Resolve | None, *, only_required: bool) -> None:
        self.resolve = resolve
        self.only_required = only_required
        self.left = _MAX_VALUES
        # Schemas that are being made: one that contains itself ends there.
        self.open: set[int] = set()

    def make(self, schema: Schema, root: Schema, level: int) -> object:
        self.left -= 1
        if self.left < 0:
            return None
        schema = _one_form(schema, root, self.resolve)
        whole = Together(schema, root, self.resolve)
        examples = [value for value in whole.examples() if has_type(value, whole.types)]
        if examples:
            return examples[0]
        kind = next((name for name in whole.types if name != "null"), None)
        if kind is None and not whole.types:
            kind = "object" if whole.first("properties") is not None else "string"
        if kind == "object":
            return self._object(schema, root, level)
        if kind == "array":
            return self._array(whole, root, level)
        return _scalar(kind, whole)

    def _object(self, schema: Schema, root: Schema, level: int) -> dict[str, object]:
        parts = list(merged(schema, root, self.resolve))
        opened = {id(part.schema) for part in parts} - self.open
        self.open |= opened
        try:
            return self._members(parts, level)
        finally:
            self.open -= opened

    def _members(self, parts: list[Part], level: int) -> dict[str, object]:
        required = {name for part in parts for name in names(part.schema.get("required"))}
        made: dict[str, object] = {}
        for part in parts:
            named = part.schema.get("properties")
            for name, inner in named.items() if isinstance(named, Mapping) else ():
                is_wanted = name in required or not (
                    self.only_required or level >= _MAX_LEVELS or self._is_open(inner, part.root)
                )
                is_possible = inner is not False and name not in made
                if is_possible and is_wanted and level <= 2 * _MAX_LEVELS:
                    made[name] = self.make(inner, part.root, level + 1)
        for name in sorted(required - made.keys()):
            made[name] = "text"
        return made

    def _is_open(self, schema: Schema, root: Schema) -> bool:
        return any(id(part.schema) in self.open for part in merged(schema, root, self.resolve))

    def _array(self, whole: Together, root: Schema, level: int) -> list[object]:
        first = whole.first("prefixItems") or whole.first("items")
        made: list[object] = []
        if isinstance(first, list):
            made = [self.make(inner, root, level + 1) for inner in first]
        entry, where = _entry(whole, root)
        least = _whole(whole.first("minItems"), 0 if self._is_open(entry, where) else 1)
        if whole.first("items") is False or level >= _MAX_LEVELS:
            return made
        while len(made) < min(least, _MAX_ENTRIES):
            made.append(self.make(entry, where, level + 1))
        return made


def _entry(whole: Together, root: Schema) -> tuple[Schema, Schema]:
    """Return the schema of an entry and its document; anything goes where none is named."""
    for part in whole.parts:
        items = part.schema.get("items")
        if isinstance(items, Mapping):
            return items, part.root
    return True, root


def _one_form(schema: Schema, root: Schema, resolve: Resolve | None) -> Schema:
    """Return the schema with the first branch that says something in place of a choice."""
    node: Schema = schema
    for keyword in ("oneOf", "anyOf"):
        branches = node.get(keyword) if isinstance(node, Mapping) else None
        if isinstance(node, Mapping) and isinstance(branches, list):
            telling = [b for b in branches if Together(b, root, resolve).types != ("null",)]
            rest = {key: value for key, value in node.items() if key != keyword}
            parts = rest.get("allOf")
            rest["allOf"] = [*(parts if isinstance(parts, list) else []), *telling[:1]]
            node = rest
    return node


def has_type(value: object, types: tuple[str, ...]) -> bool:
    """Tell whether a value is of one of these JSON types; any value is of none named."""
    tests = {
        "null": value is None,
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "string": isinstance(value, str),
        "array": isinstance(value, list),
        "object": isinstance(value, Mapping),
    }
    return not types or any(tests.get(name, False) for name in types)


def _scalar(kind: str | None, whole: Together) -> object:
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return _number(whole, is_whole=kind == "integer")
    return _text(whole) if kind == "string" else None


def _number(whole: Together, *, is_whole: bool) -> int | float:
    low, high = whole.first("minimum"), whole.first("maximum")
    over, under = whole.first("exclusiveMinimum"), whole.first("exclusiveMaximum")
    step = whole.first("multipleOf")
    unit = step if isinstance(step, int | float) else 1
    value: int | float = 1
    if isinstance(low, int | float):
        value = max(value, low)
    if isinstance(over, int | float):
        value = max(value, over + unit)
    if isinstance(high, int | float):
        value = min(value, high)
    if isinstance(under, int | float) and value >= under:
        value = under - unit
    if isinstance(step, int | float) and step:
        value = -(-value // step) * step
    return int(value) if is_whole else value


def _text(whole: Together) -> str:
    pattern = whole.text("pattern")
    form = whole.text("format")
    low = _whole(whole.first("minLength"), 0)
    high = _whole(whole.first("maxLength"), 256)
    if form in _BY_FORMAT:
        return _BY_FORMAT[form]
    if pattern:
        return matching_text(pattern, at_least=low)
    return ("text" + "x" * max(0, min(low, 10_000) - 4))[: max(high, 0)]


def _whole(value: object, default: int) -> int:
    return int(value) if isinstance(value, int | float) else default
