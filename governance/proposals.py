"""What a change request proposes: one value class for each kind, and its one JSON text.

A request keeps the text and its SHA-256; an approval is for that digest. Values come from a form or
from the API; what cannot be taken is refused with a pointer for each problem.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog import referring, schemas
from catalog.models import EventType, Topic, User
from catalog.models.event_types import REVERSE_DNS, CompatibilityMode, CompatibilityPolicy
from catalog.models.versions import SEMANTIC_VERSION
from catalog.words import Environment
from governance import canonical
from governance.models import ChangeRequest
from governance.states import ChangeKind
from governance.topics import TOPIC_CHANGEABLE

P = TypeVar("P", bound="Proposal")
KINDS: dict[str, type[Proposal]] = {}


def kind(name: str) -> Callable[[type[P]], type[P]]:
    """Register the class of a kind; a higher app adds its own kinds when it is ready."""

    def register(cls: type[P]) -> type[P]:
        KINDS[name] = cls
        return cls

    return register


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The values of one kind of change. Subclasses say which; `problems` says what is wrong."""

    # Fields that hold documents: the ledger has their digests, never themselves.
    documents: ClassVar[frozenset[str]] = frozenset()
    # Those of them that are JSON: given and answered as values, kept as text.
    json_documents: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Take what the kind has from `values`; what is missing keeps its default."""
        known = {one.name for one in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValidationError(
                [at(_("There is no such value here."), f"/{name}") for name in unknown]
            )
        return cls(**{name: cls.taken(name, value) for name, value in values.items()})

    @classmethod
    def taken(cls, name: str, value: Any) -> Any:
        """Return a given value as the class keeps it."""
        if name in cls.json_documents and not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False, indent=2)
        return value

    def problems(self) -> Iterator[ValidationError]:
        """Yield what cannot be taken, whatever else exists."""
        return iter(())

    def misfits(
        self, event_type: EventType | None, *, topic: Topic, by: User
    ) -> Iterator[ValidationError]:
        """Yield what cannot be, for what the request is about and who proposes it."""
        return iter(())

    def heading(self, event_type: EventType | None) -> str:
        """Return the title of a request that was given none; "" leaves it to the kind."""
        return ""

    def sides(self, change: ChangeRequest) -> tuple[str, str]:
        """Return the document of today and the proposed one, each "" where there is none."""
        return "", ""

    def completed(self, *, topic: Topic) -> Self:
        """Return the proposal with what the portal adds to it."""
        return self

    def text(self) -> str:
        """Return the one JSON text of the values."""
        return canonical.encode(asdict(self)).decode()

    def for_ledger(self) -> dict[str, object]:
        """Return the values with digests in place of documents."""
        return {
            f"{name}_sha256" if name in self.documents else name: (
                digest(str(value)) if name in self.documents else value
            )
            for name, value in asdict(self).items()
            if value not in ("", [], {}, None)
        }


@kind(ChangeKind.SCHEMA_VERSION)
@dataclass(frozen=True, kw_only=True)
class SchemaProposal(Proposal):
    """A new version of an event type's contract; `document` and `example` are JSON texts."""

    documents: ClassVar[frozenset[str]] = frozenset({"document", "example"})
    json_documents: ClassVar[frozenset[str]] = documents

    version: str = ""
    document: str = ""
    example: str = ""
    changes: str = ""
    guarantee: str = "at-least-once"

    def problems(self) -> Iterator[ValidationError]:
        yield from _by(SEMANTIC_VERSION, self.version, "/version")
        found = schemas.problems(self.document, resolve=referring.resolve)
        yield from (at(problem.message, problem.pointer, code="schema") for problem in found)
        if self.example and not found:
            yield from self._example_problems()

    def _example_problems(self) -> Iterator[ValidationError]:
        try:
            example = json.loads(self.example)
        except ValueError as error:
            yield at(_("The example is not JSON: %s.") % error, "/example")
            return
        except RecursionError:
            yield at(_("The example is nested too deeply to be read."), "/example")
            return
        check = schemas.validator_for(self.document, resolve=referring.resolve)
        for problem in check.iter_errors(example):
            yield at(problem.message, f"/example{problem.pointer}", code="example")

    def sides(self, change: ChangeRequest) -> tuple[str, str]:
        """Return the contract that it starts from, else the newest, and the proposed one."""
        base = change.base
        if base is None and change.event_type is not None:
            base = change.event_type.versions.newest_first().first()
        return (base.document if base else ""), self.document

    @property
    def schema(self) -> schemas.Schema:
        """Return the parsed document."""
        return schemas.read(self.document)


@kind(ChangeKind.NEW_EVENT_TYPE)
@dataclass(frozen=True, kw_only=True)
class NewEventType(SchemaProposal):
    """An event type and its first version."""

    name: str = ""
    title: str = ""
    description: str = ""
    happens_when: str = ""
    tags: Sequence[str] = ()
    version: str = "1.0.0"
    compatibility_mode: str = CompatibilityMode.BACKWARD
    compatibility_policy: str = CompatibilityPolicy.LENIENT

    def problems(self) -> Iterator[ValidationError]:
        yield from _by(REVERSE_DNS, self.name, "/name")
        if not self.title.strip():
            yield at(_("Give it a title that people say."), "/title")
        yield from _one_of(self.compatibility_mode, CompatibilityMode, "/compatibility_mode")
        yield from _one_of(self.compatibility_policy, CompatibilityPolicy, "/compatibility_policy")
        yield from super().problems()


@kind(ChangeKind.PROMOTION)
@dataclass(frozen=True, kw_only=True)
class Promotion(Proposal):
    """The request's `base`, live in staging, goes live in production."""

    environment: str = Environment.PRODUCTION

    def problems(self) -> Iterator[ValidationError]:
        if self.environment != Environment.PRODUCTION:
            yield at(_("A version is promoted from staging to production."), "/environment")


@kind(ChangeKind.DEPRECATION)
@dataclass(frozen=True, kw_only=True)
class Deprecation(Proposal):
    """The request's `base` ends at `sunset_at`; `replacement` is the version to use instead."""

    sunset_at: str = ""
    replacement: str = ""
    notice: str = ""
    environments: Sequence[str] = (Environment.PRODUCTION, Environment.STAGING)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        return super().read(_with_environments(values))

    @classmethod
    def taken(cls, name: str, value: Any) -> Any:
        if name == "sunset_at" and isinstance(value, datetime):
            return canonical.plain(value)
        return super().taken(name, value)

    def problems(self) -> Iterator[ValidationError]:
        if self.sunset is None:
            yield at(_("Say when it ends: a date and time with a zone."), "/sunset_at")
        if self.replacement:
            yield from _by(SEMANTIC_VERSION, self.replacement, "/replacement")
        yield from _environments(self.environments)

    @property
    def sunset(self) -> datetime | None:
        """Return when the version ends; None for a text that is no instant."""
        try:
            found = parse_datetime(self.sunset_at)
        except ValueError:
            return None
        return found if found is not None and found.tzinfo is not None else None


@kind(ChangeKind.RETIREMENT)
@dataclass(frozen=True, kw_only=True)
class Retirement(Proposal):
    """The request's `base` is refused from now on; `override` says why although it is used."""

    override: str = ""
    environments: Sequence[str] = (Environment.PRODUCTION, Environment.STAGING)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        return super().read(_with_environments(values))

    def problems(self) -> Iterator[ValidationError]:
        yield from _environments(self.environments)


@kind(ChangeKind.TOPIC_POLICY)
@dataclass(frozen=True, kw_only=True)
class TopicPolicy(Proposal):
    """New values of the topic's promises, by field; the owner by their team's short name."""

    values: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        return cls(values=dict(values.get("values", values)))

    def problems(self) -> Iterator[ValidationError]:
        if not self.values:
            yield at(_("Nothing would change."), "")
        for name, value in self.values.items():
            if name not in TOPIC_CHANGEABLE:
                yield at(_("A topic has no such promise."), f"/{name}")
            elif name != "owner":
                yield from _field_problems(name, value)


def _field_problems(name: str, value: object) -> Iterator[ValidationError]:
    try:
        Topic._meta.get_field(name).clean(value, None)  # type: ignore[union-attr]  # a column
    except ValidationError as error:
        yield from (at(message, f"/{name}") for message in error.messages)


def parse(kind: str, values: Mapping[str, Any], *, is_unfinished: bool = False) -> Proposal:
    """Return the proposal. Raises `ValidationError` with a pointer for each problem.

    What is unfinished may have any problem but a value that the kind does not know.
    """
    if kind not in KINDS:
        raise ValidationError(
            [at(_("This kind of change cannot be proposed here."), "/kind")], code="kind"
        )
    proposal = KINDS[kind].read(values)
    problems = [] if is_unfinished else list(proposal.problems())
    if problems:
        raise ValidationError(problems)
    return proposal


def of(change: ChangeRequest) -> Proposal:
    """Return what the request proposes, as it was last saved."""
    return KINDS[change.kind].read(json.loads(change.proposal))


def schema_of(change: ChangeRequest) -> SchemaProposal | None:
    """Return the proposed contract; None for a kind of change that proposes none."""
    proposal = of(change)
    return proposal if isinstance(proposal, SchemaProposal) else None


def digest(text: str) -> str:
    """Return SHA-256 (hex) of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def at(message: object, pointer: str, *, code: str = "invalid") -> ValidationError:
    """Return an error that names its place."""
    # The error formats its message with `params`: a pattern in it may hold a per cent sign.
    text = str(message).replace("%", "%%")
    return ValidationError(text, code=code, params={"pointer": pointer})


def _by(validator: Callable[[str], None], value: str, pointer: str) -> Iterator[ValidationError]:
    try:
        validator(value)
    except ValidationError as error:
        yield from (at(message, pointer) for message in error.messages)


def _one_of(value: str, choices: Any, pointer: str) -> Iterator[ValidationError]:
    if value not in choices.values:
        yield at(_("Use one of %s.") % ", ".join(choices.values), pointer)


def _with_environments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read `environment`, one of them, as `environments`."""
    rest = dict(values)
    if "environment" in rest:
        rest["environments"] = [rest.pop("environment")]
    return rest


def _environments(given: Sequence[str]) -> Iterator[ValidationError]:
    if not given or set(given) - set(Environment.values):
        yield at(_("Use one of %s.") % ", ".join(Environment.values), "/environments")
