"""Say in one plain sentence what a validator found; never repeat the value, it may be sensitive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from catalog.schemas.reading import Problem, pointer_to

_TYPES = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "array": "an array",
    "object": "an object",
}
_FORMATS = {
    "date-time": "a date and time with a zone, such as 2026-11-12T13:31:07Z",
    "date": "a date, such as 2026-11-12",
    "time": "a time of day with a zone, such as 13:31:07Z",
    "duration": "a duration, such as PT15M",
    "email": "an e-mail address",
    "uri": "an absolute URI, such as https://example.com/a",
    "uuid": "a UUID",
    "hostname": "a host name",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
}
_UNREADABLE = "cannot be held against its pattern in a bounded time"
# What is said of a broken rule that names no limit.
_PLAIN: dict[type, str] = {
    Kind.BacktrackLimitExceeded: _UNREADABLE,
    Kind.RegexEngineFailure: _UNREADABLE,
    Kind.UniqueItems: "must not have the same entry twice",
    Kind.Contains: "does not have the entries that it must contain, or has too many of them",
    Kind.UnevaluatedItems: "has more entries than are allowed",
    Kind.OneOfMultipleValid: "fits more than one of the forms of which it must fit exactly one",
    Kind.Not: "has a form that is not allowed here",
    Kind.FalseSchema: "is not allowed here",
}
UNKNOWN_FIELD = "is not a known field"
_SHOWN_VALUES = 12


def type_name(value: object) -> str:
    """Return the JSON type of a value with its article: `a string`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return _TYPES["boolean"]
    if isinstance(value, int):
        return _TYPES["integer"]
    if isinstance(value, str):
        return _TYPES["string"]
    if isinstance(value, list | tuple):
        return _TYPES["array"]
    return _TYPES["object"] if isinstance(value, Mapping) else _TYPES["number"]


def problems_of(errors: Iterator[ValidationError]) -> Iterator[Problem]:
    """Yield one problem for each thing that a person has to mend."""
    for error in errors:
        yield from _explain(error)


def _explain(error: ValidationError) -> Iterator[Problem]:
    pointer = pointer_to(error.instance_path)
    match error.kind:
        case Kind.AdditionalProperties() | Kind.UnevaluatedProperties() as kind:
            for name in kind.unexpected:
                yield Problem(pointer_to([*error.instance_path, name]), UNKNOWN_FIELD)
        case Kind.PropertyNames() as kind:
            for inner in _explain(kind.error):
                yield Problem(pointer, f"has a field whose name {inner.message}")
        case Kind.AnyOf() | Kind.OneOfNotValid() as kind:
            yield from _explain_choice(pointer, kind.context)
        case _:
            yield Problem(pointer, _sentence(error))


def _explain_choice(pointer: str, branches: Sequence[list[ValidationError]]) -> Iterator[Problem]:
    """Explain the alternative that the value comes closest to, if there is one."""
    meant = [b for b in branches if b and not any(_is_other_shape(e, pointer) for e in b)]
    if len(meant) == 1:
        for error in meant[0]:
            yield from _explain(error)
        return
    names = {name for b in branches for e in b for name in _wanted_types(e, pointer)}
    if names and not meant:
        yield Problem(pointer, f"must be {_or([_TYPES[n] for n in sorted(names, key=_null_last)])}")
        return
    yield Problem(pointer, f"fits none of the {len(branches)} forms that are allowed here")


def _is_other_shape(error: ValidationError, pointer: str) -> bool:
    is_here = pointer_to(error.instance_path) == pointer
    return is_here and isinstance(error.kind, Kind.Type | Kind.Constant | Kind.FalseSchema)


def _wanted_types(error: ValidationError, pointer: str) -> list[str]:
    if pointer_to(error.instance_path) == pointer and isinstance(error.kind, Kind.Type):
        return error.kind.types
    return []


def _sentence(error: ValidationError) -> str:
    """Return the sentence for the rule that is broken, from the first subject that knows it."""
    plain = next((said for kind, said in _PLAIN.items() if isinstance(error.kind, kind)), None)
    said = (say(error) for say in (_of_value, _of_number, _of_text, _of_count))
    return plain or next(filter(None, said), f"breaks the rule “{error.kind.name}”")


def _of_value(error: ValidationError) -> str | None:
    match error.kind:
        case Kind.Type(types=types):
            wanted = _or([_TYPES.get(name, name) for name in sorted(types, key=_null_last)])
            return f"must be {wanted}, is {type_name(error.instance)}"
        case Kind.Required(property=name):
            return f"“{name}” is missing"
        case Kind.Enum(options=options):
            return f"must be one of {_values(options)}"
        case Kind.Constant(expected_value=value):
            return f"must be {_value(value)}"
        case Kind.Format(format=name):
            return f"must be {_FORMATS.get(name, f'of the format “{name}”')}"
    return None


def _of_number(error: ValidationError) -> str | None:
    match error.kind:
        case Kind.Minimum(limit=limit):
            return f"must be {limit} or more"
        case Kind.Maximum(limit=limit):
            return f"must be {limit} or less"
        case Kind.ExclusiveMinimum(limit=limit):
            return f"must be more than {limit}"
        case Kind.ExclusiveMaximum(limit=limit):
            return f"must be less than {limit}"
        case Kind.MultipleOf(multiple_of=step):
            return f"must be a multiple of {step}"
    return None


def _of_text(error: ValidationError) -> str | None:
    match error.kind:
        case Kind.MinLength(limit=1):
            return "must not be empty"
        case Kind.MinLength(limit=limit):
            return f"must be at least {limit} characters long"
        case Kind.MaxLength(limit=limit):
            return f"must be at most {limit} characters long"
        case Kind.Pattern(pattern=pattern):
            return f"must match the pattern {pattern}"
    return None


def _of_count(error: ValidationError) -> str | None:
    match error.kind:
        case Kind.MinItems(limit=limit):
            return f"must have at least {_count(limit, 'entry', 'entries')}"
        case Kind.MaxItems(limit=limit) | Kind.AdditionalItems(limit=limit):
            return f"must have at most {_count(limit, 'entry', 'entries')}"
        case Kind.MinProperties(limit=limit):
            return f"must have at least {_count(limit, 'field', 'fields')}"
        case Kind.MaxProperties(limit=limit):
            return f"must have at most {_count(limit, 'field', 'fields')}"
    return None


def _null_last(name: str) -> tuple[bool, str]:
    return name == "null", name


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _count(number: int, singular: str, plural: str) -> str:
    return f"{number} {singular if number == 1 else plural}"


def _values(values: Sequence[object]) -> str:
    shown = [_value(value) for value in values[:_SHOWN_VALUES]]
    rest = len(values) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
