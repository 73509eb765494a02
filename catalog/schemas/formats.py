"""Formats, as the reference implementation `jsonschema` checks them.

IRIs alone are checked by `jsonschema_rs`, here and for all who ask the reference. The package that
the reference would take for them compiles its grammar when it is imported, which costs each process
two seconds at its start, and then ten milliseconds for one string.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import jsonschema_rs
from jsonschema import Draft7Validator, Draft201909Validator, Draft202012Validator

IRIS = ("iri", "iri-reference")
_CHECKER = Draft202012Validator.FORMAT_CHECKER


def _register_iris() -> None:
    for name in IRIS:
        compiled = jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True)
        for draft in (Draft7Validator, Draft201909Validator, Draft202012Validator):
            draft.FORMAT_CHECKER.checks(name)(compiled.is_valid)


def _conforms(name: str, value: object) -> bool:
    return bool(_CHECKER.conforms(value, name))


_register_iris()
# For `jsonschema_rs`, which has its own check of IRIs.
FORMATS: Mapping[str, Callable[[object], bool]] = {
    name: partial(_conforms, name) for name in _CHECKER.checkers if name not in IRIS
}
