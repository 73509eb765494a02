"""Files as plain values: what someone wants the catalog to say. Nothing is compared here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import models

from catalog.files.archives import Unreadable
from catalog.files.writing import fields_of, plain
from catalog.house_rules import check_weights
from catalog.models import Application, Domain, EventType, Team, Topic
from catalog.models.versions import SEMANTIC_VERSION
from catalog.words import Environment, ReleaseState

Values = dict[str, Any]
_THINGS: dict[str, tuple[type[models.Model], str]] = {
    "teams": (Team, "slug"),
    "domains": (Domain, "slug"),
    "topics": (Topic, "name"),
    "applications": (Application, "slug"),
}
_OF_VERSION = re.compile(r"(?P<number>\d+\.\d+\.\d+)\.(?P<what>schema|example)\.json")
_VERSION_TEXTS = ("changes", "guarantee")
_RELEASE_TEXTS = ("state", "sunset_at", "replacement")


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """The things that files describe, by name; each holds its fields, others by their names.

    A version of an event type has `document` and `example` as texts, beside its promises.
    """

    regions: Mapping[str, str] = field(default_factory=dict)
    house_rules: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, Values] = field(default_factory=dict)
    domains: Mapping[str, Values] = field(default_factory=dict)
    topics: Mapping[str, Values] = field(default_factory=dict)
    applications: Mapping[str, Values] = field(default_factory=dict)
    event_types: Mapping[str, Values] = field(default_factory=dict)


def read(files: Mapping[str, bytes]) -> Described:
    """Return what the files describe. Raises `Unreadable` that names the file and what to mend."""
    things: dict[str, dict[str, Values]] = {kind: {} for kind in _THINGS}
    types: dict[str, dict[str, bytes]] = {}
    regions: dict[str, str] = {}
    rules: dict[str, str] = {}
    for path, content in files.items():
        kind, _slash, rest = path.partition("/")
        if path == "regions.yaml":
            regions = {name: _text(path, name, word) for name, word in _yaml(path, content).items()}
        elif path == "house-rules.yaml":
            rules = _weights(path, content)
        elif kind == "event-types" and rest.count("/") == 1:
            name, _slash, file = rest.partition("/")
            types.setdefault(name, {})[file] = content
        elif kind in _THINGS and rest.endswith(".yaml") and "/" not in rest:
            model, own = _THINGS[kind]
            values = _fields(path, _yaml(path, content), model, own)
            things[kind][rest.removesuffix(".yaml")] = values
        else:
            raise Unreadable(f"{path}: no file of a catalog stands there.")
    event_types = {name: _event_type(name, held) for name, held in types.items()}
    return Described(regions=regions, house_rules=rules, event_types=event_types, **things)


class _Loader(yaml.SafeLoader):
    """YAML without aliases: a few of them could stand for more than any memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read here")
        return super().compose_node(parent, index)


def _yaml(path: str, content: bytes) -> dict[str, Any]:
    try:
        found = yaml.load(content.decode(), Loader=_Loader)  # noqa: S506 - a kind of SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: this is not YAML that can be read: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise Unreadable(f"{path}: it should hold names and values.")
    return found


def _weights(path: str, content: bytes) -> dict[str, str]:
    found = _yaml(path, content)
    try:
        check_weights(found)
    except ValidationError as error:
        raise Unreadable(f"{path}: {' '.join(error.messages)}") from None
    return found


def _fields(path: str, values: Mapping[str, Any], model: type[models.Model], own: str) -> Values:
    """Return the values of a model's fields, as rows have them; what is missing stays unsaid."""
    known = {one.name: one for one in fields_of(model, own)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise Unreadable(f"{path}: there is no value of the name {unknown[0]}.")
    return {name: _value(path, known[name], value) for name, value in values.items()}


def _value(path: str, column: models.Field[Any, Any], value: Any) -> Any:
    if column.is_relation:
        return _text(path, column.name, value)
    if value is None and column.null:
        return None
    held = type(column.get_default()) if column.has_default() else str
    try:
        if {list, dict} & {type(value), held} and not isinstance(value, held):
            raise ValidationError("It has another form.")
        return plain(column.clean(value, None))
    except (ValidationError, TypeError, ValueError) as error:
        told = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        raise Unreadable(f"{path}: {column.name}: {told}") from None


def _text(path: str, name: str, value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise Unreadable(f"{path}: {name} should be a text.")
    return value


def _event_type(name: str, files: Mapping[str, bytes]) -> Values:
    path = f"event-types/{name}/event-type.yaml"
    if "event-type.yaml" not in files:
        raise Unreadable(f"{path} is missing.")
    said = _yaml(path, files["event-type.yaml"])
    versions = said.pop("versions", {})
    if not isinstance(versions, dict):
        raise Unreadable(f"{path}: versions should hold numbers and their promises.")
    texts = dict(_texts(name, files))
    values = _fields(path, said, EventType, "name")
    found = {str(number): _version(path, str(number), of) for number, of in versions.items()}
    for number, version in found.items():
        if ("schema", number) not in texts:
            raise Unreadable(f"event-types/{name}/{number}.schema.json is missing.")
        version["document"] = texts.pop(("schema", number))
        version["example"] = texts.pop(("example", number), "")
    if texts:
        raise Unreadable(f"{path}: it does not name version {next(iter(texts))[1]}.")
    return {**values, "versions": found}


def _texts(name: str, files: Mapping[str, bytes]) -> Iterator[tuple[tuple[str, str], str]]:
    for file, content in files.items():
        if file == "event-type.yaml":
            continue
        found = _OF_VERSION.fullmatch(file)
        if found is None:
            raise Unreadable(f"event-types/{name}/{file}: no file of a catalog stands there.")
        try:
            yield (found["what"], found["number"]), content.decode()
        except UnicodeError:
            raise Unreadable(f"event-types/{name}/{file}: it is not UTF-8.") from None


def _version(path: str, number: str, said: object) -> Values:
    try:
        SEMANTIC_VERSION(number)
    except ValidationError:
        raise Unreadable(f"{path}: {number} is no number of a version.") from None
    if not isinstance(said, dict) or set(said) - {*_VERSION_TEXTS, "releases"}:
        raise Unreadable(f"{path}: version {number} holds changes, guarantee and releases.")
    texts = {name: _text(path, name, said[name]) for name in _VERSION_TEXTS if name in said}
    releases = said.get("releases", {})
    if not isinstance(releases, dict) or set(releases) - set(Environment.values):
        raise Unreadable(f"{path}: the releases of {number} should name environments.")
    return {**texts, "releases": {env: _release(path, one) for env, one in releases.items()}}


def _release(path: str, said: object) -> dict[str, str]:
    if not isinstance(said, dict) or set(said) - set(_RELEASE_TEXTS):
        raise Unreadable(f"{path}: a release holds {', '.join(_RELEASE_TEXTS)}.")
    found = {name: _text(path, name, value) for name, value in said.items()}
    if found.get("state") not in ReleaseState.values:
        raise Unreadable(f"{path}: the state of a release is one of {', '.join(ReleaseState)}.")
    return found
