"""What files would change of contracts: event types, their versions, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog.files import Described
from catalog.files.writing import values_of, version_values
from catalog.models import EventType, Release, SchemaVersion, Topic, User
from catalog.words import ReleaseState
from governance import event_types
from governance.actions import Action
from governance.imports.steps import (
    Planner,
    Step,
    Take,
    Values,
    Way,
    differences_of,
    new_values,
)
from governance.states import ChangeKind


def contracts(planner: Planner, wanted: Described) -> Iterator[Step]:
    """Yield the steps of event types, their versions, and where each version stands."""
    releases = Prefetch("releases", Release.objects.select_related("replacement"))
    versions = SchemaVersion.objects.prefetch_related(releases)
    rows = EventType.objects.select_related("topic").prefetch_related(
        Prefetch("versions", versions)
    )
    here = {one.name: one for one in planner.seen(rows, Action.EVENT_TYPE_VIEW)}
    topics = {one.name: one for one in planner.seen(Topic.objects.all(), Action.TOPIC_VIEW)}
    for name, values in wanted.event_types.items():
        place = str(values.get("topic", ""))
        if place not in {*wanted.topics, *topics} and name not in here:
            words = _("Its topic %s is neither here nor in the files.") % place
            yield Step(subject=name, sentence=words, way=Way.NONE)
        elif name in here:
            yield from _changed_type(planner, here[name], values)
        else:
            yield from _new_type(planner, name, values, topics.get(place))


def _new_type(planner: Planner, name: str, values: Values, topic: Topic | None) -> Iterator[Step]:
    """Propose the type with its lowest version; the others follow once it is there."""
    numbers = sorted(values["versions"], key=_sortable)
    if not numbers:
        words = _("An event type comes with its first version, and has none in the files.")
        yield Step(subject=name, sentence=words, way=Way.NONE)
        return
    said = {key: value for key, value in values.items() if key not in ("topic", "versions")}
    yield planner.review(
        name,
        _("A new event type: %s.") % values.get("title", name),
        ChangeKind.NEW_EVENT_TYPE,
        topic=topic,
        topic_name=str(values["topic"]),
        proposal={"name": name, **said, **_contract(numbers[0], values["versions"][numbers[0]])},
    )
    for number in numbers[1:]:
        words = _("Version %s follows once the event type is there: import again.") % number
        yield Step(subject=f"{name} {number}", sentence=words, way=Way.NONE)


def _changed_type(planner: Planner, event_type: EventType, values: Values) -> Iterator[Step]:
    said = {key: value for key, value in values.items() if key != "versions"}
    differences = differences_of(said, values_of(event_type, "name"))
    if any(name == "topic" for name, _here, _there in differences):
        words = _("An event type keeps its topic: give the new one another name.")
        yield Step(subject=event_type.name, sentence=words, way=Way.NONE)
    elif differences:
        yield Step(
            subject=event_type.name,
            sentence=_("The words of %s change.") % event_type.title,
            way=Way.AT_ONCE,
            may=planner.may(Action.EVENT_TYPE_CHANGE, event_type),
            differences=differences,
            take=_words_of(event_type, new_values(differences)),
        )
    here = {one.version: one for one in event_type.versions.all()}
    for number in sorted(values["versions"], key=_sortable):
        yield from _version(planner, event_type, here.get(number), number, values["versions"])


def _words_of(event_type: EventType, values: Values) -> Take:
    def take(by: User, reason: str, now: datetime) -> None:
        event_types.change(event_type, by=by, now=now, reason=reason, **values)

    return take


def _version(
    planner: Planner,
    event_type: EventType,
    version: SchemaVersion | None,
    number: str,
    wanted: Mapping[str, Values],
) -> Iterator[Step]:
    subject, values = f"{event_type.name} {number}", wanted[number]
    if version is None:
        yield planner.review(
            subject,
            _("A new version %(number)s of %(title)s.")
            % {"number": number, "title": event_type.title},
            ChangeKind.SCHEMA_VERSION,
            topic=event_type.topic,
            event_type=event_type,
            proposal=_contract(number, values),
        )
        return
    kept = {"document": version.document, "example": version.example}
    kept |= {name: version_values(version)[name] for name in ("changes", "guarantee")}
    said = {name: value for name, value in values.items() if name != "releases"}
    if not said.get("changes"):  # applying writes the changelog of a version that has none
        said.pop("changes", None)
    differences = differences_of(said, kept)
    if differences:
        words = _("Version %s is another here: a version never changes, give it a new number.")
        yield Step(subject=subject, sentence=words % number, way=Way.NONE, differences=differences)
        return
    for release in version.releases.all():
        said = values.get("releases", {}).get(release.environment)
        if said:
            yield from _moved(planner, subject, version, release, said)


def _moved(
    planner: Planner, subject: str, version: SchemaVersion, release: Release, said: Values
) -> Iterator[Step]:
    """Yield the request that brings a version's state in one environment a step nearer."""
    here, there = str(release.state), str(said["state"])
    place = {"version": version, "environment": release.environment}
    ends = parse_datetime(said.get("sunset_at", "")) if said.get("sunset_at") else None
    is_later = there == ReleaseState.DEPRECATED and ends != release.sunset_at
    if here == there and not is_later:
        return
    found: tuple[str, str, Values] | None = None
    if here == ReleaseState.STAGED and there in (ReleaseState.LIVE, ReleaseState.DEPRECATED):
        found = (_("%(version)s goes to %(environment)s."), ChangeKind.PROMOTION, {})
    elif there == ReleaseState.DEPRECATED and here in (
        ReleaseState.LIVE,
        ReleaseState.DEPRECATED,
    ):
        proposal = {
            "sunset_at": said.get("sunset_at", ""),
            "replacement": said.get("replacement", ""),
            "environments": [release.environment],
        }
        words = _("%(version)s ends in %(environment)s.")
        found = (words, ChangeKind.DEPRECATION, proposal)
    elif there == ReleaseState.RETIRED:
        words = _("%(version)s is retired in %(environment)s.")
        found = (words, ChangeKind.RETIREMENT, {"environments": [release.environment]})
    if found is None:
        words = _("%(version)s is further in %(environment)s than the files say: it stays.")
        yield Step(subject=subject, sentence=words % place, way=Way.NONE)
        return
    yield planner.review(
        subject,
        found[0] % place,
        found[1],
        topic=version.event_type.topic,
        event_type=version.event_type,
        base=version,
        proposal=found[2],
        differences=[(release.environment, here, there)],
    )


def _contract(number: str, values: Values) -> dict[str, Any]:
    said = {key: value for key, value in values.items() if key != "releases"}
    return {**said, "version": number}


def _sortable(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))
