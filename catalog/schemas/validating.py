"""Hold data against a schema, fast and in bounded time.

`jsonschema_rs` decides: it keeps to the standard (ECMA-262 patterns included), and its pattern
engine takes linear time for patterns without look-around and back-references; for the others the
number of steps is bounded, and what exceeds it is refused. Formats are asserted as the reference
implementation `jsonschema` checks them, so that the compatibility engine and the edge agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from urllib.parse import urljoin

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from catalog.schemas.formats import FORMATS
from catalog.schemas.reading import (
    Dialect,
    Malformed,
    Problem,
    Resolve,
    Schema,
    dialect_of,
    every_schema,
    pointer_to,
    read,
)
from catalog.schemas.sentences import problems_of

MAX_ERRORS = 100  # of one document; more help nobody
MAX_REFERENCED = 50  # documents of the catalog that one schema may draw on
# Steps of one match; 20,000 take under a millisecond, and honest patterns take hundreds.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=20_000, size_limit=1 << 20)
# Where a relative `$ref` starts from; reserved by RFC 2606, and nothing is ever fetched.
BASE_URI = "https://catalog.invalid/"
_CLASSES: Mapping[Dialect, type[jsonschema_rs.Validator]] = {
    Dialect.DRAFT_2020_12: jsonschema_rs.Draft202012Validator,
    Dialect.DRAFT_07: jsonschema_rs.Draft7Validator,
}


class Validator:
    """A compiled schema; safe to share between threads."""

    __slots__ = ("_compiled",)

    def __init__(self, compiled: jsonschema_rs.Validator) -> None:
        self._compiled = compiled

    def is_valid(self, data: object) -> bool:
        """Tell whether the data keeps the contract."""
        return self._compiled.is_valid(data)

    def iter_errors(self, data: object) -> Iterator[Problem]:
        """Yield each breach as (pointer into the data, sentence), at most `MAX_ERRORS`."""
        return islice(problems_of(self._compiled.iter_errors(data)), MAX_ERRORS)


def validator_for(document: str | bytes | Schema, *, resolve: Resolve | None = None) -> Validator:
    """Compile a schema, given as text or parsed. Raises `Malformed` for one that is not usable."""
    schema = read(document)
    dialect = dialect_of(schema)
    if dialect is None:
        raise Malformed([Problem("/$schema", "Only draft 2020-12 and draft-07 are taken.")])
    try:
        return Validator(_compile(schema, dialect, resolve))
    except jsonschema_rs.ValidationError as error:
        pointer = pointer_to(error.instance_path)
        raise Malformed([Problem(pointer, error.message)]) from None
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise Malformed([Problem("", str(error))]) from None


def could_match(pattern: str, text: str) -> bool:
    """Tell in bounded time whether the pattern is found in the text; True where nobody can tell."""
    check = _matcher(pattern)
    if check is None or check.is_valid(text):
        return True
    undecided = (ValidationErrorKind.BacktrackLimitExceeded, ValidationErrorKind.RegexEngineFailure)
    return any(isinstance(error.kind, undecided) for error in check.iter_errors(text))


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> jsonschema_rs.Validator | None:
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_PATTERNS)
    except jsonschema_rs.ValidationError:
        return None


def _compile(schema: Schema, dialect: Dialect, resolve: Resolve | None) -> jsonschema_rs.Validator:
    registered = list(_registered(schema, resolve))
    return _CLASSES[dialect](
        _plain(schema),
        formats=dict(FORMATS),
        validate_formats=True,
        pattern_options=_PATTERNS,
        offline=True,
        base_uri=BASE_URI,
        registry=jsonschema_rs.Registry(registered) if registered else None,
    )


def _registered(
    schema: Schema, resolve: Resolve | None
) -> Iterator[tuple[str, dict[str, object] | bool]]:
    """Yield each outer document under every name that a relative `$ref` to it may come to have."""
    found = dict(catalog_documents(schema, resolve))
    bases = {BASE_URI, *own_ids(schema)}
    for document in found.values():
        bases |= own_ids(document)
    for uri, document in found.items():
        for name in {urljoin(base, uri) for base in bases}:
            yield name, _plain(document)


def _plain(schema: Schema) -> dict[str, object] | bool:
    return schema if isinstance(schema, bool) else dict(schema)


def catalog_documents(schema: Schema, resolve: Resolve | None) -> Iterator[tuple[str, Schema]]:
    """Yield (URI, document) of all that a schema draws on in the catalog, at any distance."""
    if resolve is None:
        return
    seen: set[str] = set()
    waiting = [schema]
    while waiting and len(seen) <= MAX_REFERENCED:
        for uri in outer_references(waiting.pop()):
            if uri in seen:
                continue
            seen.add(uri)
            found = resolve(uri)
            if found is not None:
                waiting.append(found)
                yield uri, found


def outer_references(schema: Schema) -> Iterator[str]:
    """Yield the URI, without fragment, of each `$ref` that leaves the document."""
    own = own_ids(schema)
    for _pointer, inner in every_schema(schema):
        for keyword in ("$ref", "$dynamicRef"):
            reference = inner.get(keyword) if isinstance(inner, Mapping) else None
            uri = reference.partition("#")[0] if isinstance(reference, str) else ""
            if uri and uri not in own:
                yield uri


def own_ids(schema: Schema) -> set[str]:
    """Return each `$id` that stands in the document."""
    return {
        str(inner["$id"]).removesuffix("#")
        for _pointer, inner in every_schema(schema)
        if isinstance(inner, Mapping) and "$id" in inner
    }
