"""What files would change of regions, house rules, teams, domains, topics and applications."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.files import Described
from catalog.files.writing import values_of
from catalog.models import Application, Domain, Region, Team, Topic, User
from governance import house_rules, teams, topics
from governance.actions import Action
from governance.imports.steps import (
    Differences,
    Planner,
    Step,
    Take,
    Values,
    Way,
    differences_of,
    new_values,
)
from governance.states import ChangeKind


def before_contracts(planner: Planner, wanted: Described) -> Iterator[Step]:
    """Yield the steps on which contracts stand."""
    yield from _regions(planner, wanted)
    yield from _house_rules(planner, wanted)
    yield from _teams(planner, wanted)
    yield from _domains(planner, wanted)
    yield from _topics(planner, wanted)


def _regions(planner: Planner, wanted: Described) -> Iterator[Step]:
    known = dict(Region.objects.values_list("code", "name"))
    for code in wanted.regions.keys() - known.keys():
        words = _("Region %s is missing here: add it in the admin.") % code
        yield Step(subject=code, sentence=words, way=Way.NONE)


def _house_rules(planner: Planner, wanted: Described) -> Iterator[Step]:
    standing = {
        one.rule.value: one.weight.value for one in house_rules.listed(house_rules.portal_policy())
    }
    differences = differences_of(wanted.house_rules, standing)
    if differences:

        def take(by: User, reason: str, now: datetime) -> None:
            house_rules.weigh(new_values(differences), by=by, reason=reason, now=now)

        yield Step(
            subject="house-rules",
            sentence=_("House rules weigh something else in the whole portal."),
            way=Way.AT_ONCE,
            may=planner.may(Action.HOUSE_RULE_CHANGE),
            differences=differences,
            take=take,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verbs:
    """How one person adds and changes things of a kind, and the sentences that say it."""

    create: Callable[..., object]
    may_create: Action
    new: str
    change: Callable[..., object]
    may_change: Action
    changes: str


def _teams(planner: Planner, wanted: Described) -> Iterator[Step]:
    verbs = _Verbs(
        create=teams.create,
        may_create=Action.TEAM_CHANGE,
        new=_("A new team: %s."),
        change=teams.change,
        may_change=Action.TEAM_CHANGE,
        changes=_("Team %s changes."),
    )
    yield from _at_once(planner, wanted.teams, Team.objects.all(), verbs)


def _domains(planner: Planner, wanted: Described) -> Iterator[Step]:
    verbs = _Verbs(
        create=topics.create_domain,
        may_create=Action.DOMAIN_CREATE,
        new=_("A new domain: %s."),
        change=topics.change_domain,
        may_change=Action.DOMAIN_CHANGE,
        changes=_("Domain %s changes."),
    )
    yield from _at_once(planner, wanted.domains, Domain.objects.select_related("owner"), verbs)


def _at_once(
    planner: Planner, wanted: Mapping[str, Values], rows: Iterable[Team | Domain], verbs: _Verbs
) -> Iterator[Step]:
    """Yield the steps of things that one person may add and change alone."""
    here = {one.slug: one for one in rows}
    for slug, values in wanted.items():
        thing = here.get(slug)
        if thing is None:
            yield Step(
                subject=slug,
                sentence=verbs.new % values.get("name", slug),
                way=Way.AT_ONCE,
                may=planner.may(verbs.may_create),
                take=_take(verbs.create, slug=slug, **values),
            )
        elif differences := differences_of(values, values_of(thing, "slug")):
            yield Step(
                subject=slug,
                sentence=verbs.changes % thing.name,
                way=Way.AT_ONCE,
                may=planner.may(verbs.may_change, thing),
                differences=differences,
                take=_take(verbs.change, thing, **new_values(differences)),
            )


def _topics(planner: Planner, wanted: Described) -> Iterator[Step]:
    seen = planner.seen(Topic.objects.select_related("domain", "owner"), Action.TOPIC_VIEW)
    here = {one.name: one for one in seen}
    domains = {one.slug: one for one in Domain.objects.all()}
    for name, values in wanted.topics.items():
        topic = here.get(name)
        if topic is None:
            yield Step(
                subject=name,
                sentence=_("A new topic: %s.") % values.get("title", name),
                way=Way.AT_ONCE,
                may=planner.may(Action.TOPIC_CREATE, domains.get(str(values.get("domain")))),
                take=_take(topics.create, name=name, **values),
            )
        elif differences := differences_of(values, values_of(topic, "name")):
            yield _topic_step(planner, topic, differences)


def _topic_step(planner: Planner, topic: Topic, differences: Differences) -> Step:
    fixed = [name for name, _here, _there in differences if name not in topics.TOPIC_CHANGEABLE]
    if fixed:
        words = _("A topic keeps its %s: give the new one another name.") % fixed[0]
        return Step(subject=topic.name, sentence=words, way=Way.NONE, differences=differences)
    return planner.review(
        topic.name,
        _("The promises of %s change.") % topic.title,
        ChangeKind.TOPIC_POLICY,
        topic=topic,
        proposal={"values": new_values(differences)},
        differences=differences,
    )


def applications(planner: Planner, wanted: Described) -> Iterator[Step]:
    """Yield what somebody has to see to: an import changes no application."""
    rows = Application.objects.select_related("team", "region")
    here = {one.slug: one for one in planner.seen(rows, Action.APPLICATION_VIEW)}
    for slug, values in wanted.applications.items():
        known = here.get(slug)
        differences = differences_of(values, values_of(known, "slug")) if known else []
        if known is None or differences:
            words = _("Applications have keys and grants of their own: see to it on its page.")
            yield Step(subject=slug, sentence=words, way=Way.NONE, differences=differences)


def _take(verb: Callable[..., object], *subject: object, **values: Any) -> Take:
    """Return a step's deed: the verb with these values, and with the things that they name."""

    def take(by: User, reason: str, now: datetime) -> None:
        verb(*subject, by=by, now=now, **_with_owner(values))

    return take


def _with_owner(values: Values) -> dict[str, Any]:
    """Return the values with the things that they name."""
    found = dict(values)
    for name, model in (("owner", Team), ("domain", Domain)):
        if name in found:
            found[name] = model.objects.filter(slug=found[name]).first()
            if found[name] is None:
                words = _("There is no %(kind)s “%(slug)s”.")
                raise ValidationError(words % {"kind": name, "slug": values[name]})
    return found
