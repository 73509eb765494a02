"""Formats: which are asserted, example strings of each, and how short or long they can be."""

from __future__ import annotations

from jsonschema import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
)
from jsonschema.protocols import Validator

from catalog.schemas import formats as _iris  # noqa: F401 - has the checkers below check IRIs
from governance.compatibility.documents import Dialect

VALIDATORS: dict[Dialect, type[Validator]] = {
    Dialect.DRAFT_04: Draft4Validator,
    Dialect.DRAFT_06: Draft6Validator,
    Dialect.DRAFT_07: Draft7Validator,
    Dialect.DRAFT_2019_09: Draft201909Validator,
    Dialect.DRAFT_2020_12: Draft202012Validator,
}

SAMPLES: dict[str, tuple[str, ...]] = {
    "date": ("2026-11-22", "1999-01-01"),
    "date-time": ("2026-11-22T18:00:00Z", "2026-11-22T18:00:00.123456+01:00"),
    "time": ("18:00:00Z", "18:00:00+01:00"),
    "duration": ("P1D", "PT12H30M", "P3Y6M4DT12H30M5S"),
    "email": ("ada@example.com", "a@b.co", "grace.hopper+events@example.org"),
    "idn-email": ("ada@example.com", "a@b.co"),
    "hostname": ("example.com", "a.example.org", "a"),
    "idn-hostname": ("example.com", "a.example.org"),
    "ipv4": ("192.0.2.1", "198.51.100.254"),
    "ipv6": ("::1", "2001:db8::1", "2001:db8:0:0:0:0:2:1"),
    "uri": ("https://example.com/a", "urn:example:1", "http://example.org/?q=1#f"),
    "uri-reference": ("/a/b", "https://example.com/a", "a", "#x"),
    "iri": ("https://example.com/a", "urn:example:1"),
    "iri-reference": ("/a/b", "https://example.com/a", "a"),
    "uri-template": ("/orders/{id}", "https://example.com/{a}"),
    "uuid": (
        "0198f0a4-5b6c-7d8e-9f01-23456789abcd",
        "F47AC10B-58CC-4372-A567-0E02B2C3D479",
    ),
    "json-pointer": ("/a/b", "", "/0"),
    "relative-json-pointer": ("0", "1/a", "2#"),
    "regex": ("^a$", "", "[0-9]+"),
}

# Strings of a pattern that surely have the format: from these an example is spelled when another
# pattern must fit too.
SHAPES: dict[str, str] = {
    "date": "^[12][0-9]{3}-0[1-9]-[12][0-9]$",
    "date-time": "^[12][0-9]{3}-0[1-9]-[12][0-9]T0[0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?Z$",
    "time": "^0[0-9]:[0-5][0-9]:[0-5][0-9]Z$",
    "email": "^[a-z0-9]+([.+-][a-z0-9]+)*@[a-z0-9]+\\.[a-z]{2,9}$",
    "hostname": "^[a-z0-9]+(\\.[a-z0-9]+)*$",
    "ipv4": "^[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?$",
    "uri": "^https?://[a-z0-9]+(\\.[a-z0-9]+)*(/[a-z0-9._-]*)*$",
    "uri-reference": "^(/[a-z0-9._-]+)+$",
    "uuid": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
}

# Patterns that every string of a format matches, as the checkers accept it; only what is certain.
OUTLINES: dict[str, str] = {
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "email": "@",
    "idn-email": "@",
    "ipv4": "^[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}$",
}

# Formats that take every string of another one, in the specifications and to the checkers.
WIDER: dict[str, str] = {"email": "idn-email", "uri": "uri-reference"}

# Shortest and longest string of a format, as the checkers accept it; only what is certain.
LENGTHS: dict[str, tuple[int, int | None]] = {
    "date": (10, 10),
    "date-time": (20, None),
    "duration": (2, None),
    "email": (1, None),
    "idn-email": (1, None),
    "ipv4": (7, 15),
    "ipv6": (2, None),
    "time": (9, None),
    "uri": (2, None),
    "uuid": (36, None),
}


def is_asserted(name: str, dialect: Dialect) -> bool:
    """Return whether the draft's checker refuses strings for this format."""
    return name in VALIDATORS[dialect].FORMAT_CHECKER.checkers


def conforms(name: str, value: str) -> bool | None:
    """Return whether a string has a format, ``None`` for a format that nobody checks."""
    checker = VALIDATORS[Dialect.DRAFT_2020_12].FORMAT_CHECKER
    if name not in checker.checkers:
        checker = VALIDATORS[Dialect.DRAFT_04].FORMAT_CHECKER
    return checker.conforms(value, name) if name in checker.checkers else None
