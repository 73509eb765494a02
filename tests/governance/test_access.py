"""The permission matrix: people by actions by things. Whoever is not named may not."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import models

from catalog.models import Topic, User
from governance import access, ownership, roles
from governance.access.people import is_answerable
from governance.actions import Action
from tests import factories
from tests.governance.world import World

pytestmark = pytest.mark.django_db

SALES = "alice bob"  # own the application and what hangs on it
STOCK = "dave own-reviewer"  # own the topic
REVIEWERS = "reviewer own-reviewer"
EVERYONE = f"{SALES} charlie nobody {STOCK} reviewer admin support"
# The superuser may do everything but what only time does.

MATRIX: dict[Action, tuple[str, str]] = {
    Action.DOMAIN_CREATE: ("", "admin"),
    Action.DOMAIN_CHANGE: ("domain", f"{STOCK} admin"),
    Action.TOPIC_VIEW: ("topic", EVERYONE),
    Action.TOPIC_CREATE: ("domain", f"{STOCK} admin"),
    Action.TOPIC_CHANGE: ("topic", f"{STOCK} admin"),
    Action.TOPIC_PUBLISH: ("topic", ""),
    Action.TOPIC_SUBSCRIBE: ("topic", ""),
    Action.EVENT_TYPE_VIEW: ("event type", EVERYONE),
    Action.EVENT_TYPE_CREATE: ("topic", f"{STOCK} reviewer admin"),
    Action.EVENT_TYPE_CHANGE: ("event type", f"{STOCK} reviewer admin"),
    Action.VERSION_APPLY: ("event type", f"{REVIEWERS} admin"),
    Action.VERSION_PROMOTE: ("version", f"{REVIEWERS} admin"),
    Action.VERSION_DEPRECATE: ("version", f"{REVIEWERS} admin"),
    Action.VERSION_RETIRE: ("version", f"{REVIEWERS} admin"),
    Action.APPLICATION_VIEW: ("application", EVERYONE),
    Action.APPLICATION_REGISTER: ("team", f"{SALES} admin"),
    Action.APPLICATION_CHANGE: ("application", f"{SALES} admin"),
    Action.APPLICATION_DEPLOY: ("application", f"{SALES} admin"),
    Action.KEY_VIEW: ("key", f"{SALES} admin support"),
    Action.KEY_CREATE: ("application", f"{SALES} admin"),
    Action.KEY_REVOKE: ("key", f"{SALES} admin"),
    Action.TEAM_CHANGE: ("team", "admin"),
    Action.HOUSE_RULE_CHANGE: ("", "admin"),
    Action.ROLE_CHANGE: ("", "admin"),
    Action.USER_CHANGE: ("", "admin"),
    Action.GRANT_VIEW: ("grant", f"{SALES} {STOCK} reviewer admin support"),
    Action.GRANT_GIVE: ("topic", "own-reviewer admin"),
    Action.GRANT_REVOKE: ("grant", "own-reviewer admin"),
    Action.GRANT_EXPIRE: ("grant", ""),
    Action.ACCESS_REQUEST_VIEW: ("request", f"{SALES} {STOCK} reviewer admin support"),
    Action.ACCESS_REQUEST_MAKE: ("application", f"{SALES} admin"),
    Action.ACCESS_REQUEST_DECIDE: ("request", "own-reviewer admin"),
    Action.ACCESS_REQUEST_WITHDRAW: ("request", SALES),
    Action.CHANGE_VIEW: ("change", EVERYONE),
    Action.CHANGE_PROPOSE: ("topic", f"{SALES} charlie {STOCK} reviewer admin"),
    Action.CHANGE_EDIT: ("change", "alice"),
    Action.CHANGE_OPEN: ("change", "alice"),
    Action.CHANGE_REVIEW: ("change", f"{REVIEWERS} admin"),
    Action.CHANGE_APPROVE: ("change", f"{REVIEWERS} admin"),
    Action.CHANGE_REJECT: ("change", f"{REVIEWERS} admin"),
    Action.CHANGE_SEND_BACK: ("change", f"{REVIEWERS} admin"),
    Action.CHANGE_WITHDRAW: ("change", "alice admin"),
    Action.CHANGE_APPLY: ("change", f"{REVIEWERS} admin"),
    Action.CHANGE_EMERGENCY: ("change", "admin"),
    Action.CHANGE_COMMENT: ("change", EVERYONE),
    Action.CHANGE_SIGN_OFF: ("application", SALES),
    Action.LEDGER_VIEW: ("", EVERYONE),  # which entries: see test_visibility
    Action.SUBSCRIPTION_VIEW: ("subscription", f"{SALES} {STOCK} reviewer admin support"),
    Action.SUBSCRIPTION_CREATE: ("application", f"{SALES} admin"),
    Action.SUBSCRIPTION_CHANGE: ("subscription", f"{SALES} admin support"),
    Action.SUBSCRIPTION_PAUSE: ("subscription", f"{SALES} admin support"),
    Action.SUBSCRIPTION_RESUME: ("subscription", f"{SALES} admin support"),
    Action.SUBSCRIPTION_DISABLE: ("subscription", f"{SALES} admin support"),
    Action.SUBSCRIPTION_TEST: ("subscription", f"{SALES} admin support"),
    Action.SUBSCRIPTION_END: ("subscription", f"{SALES} admin"),
    Action.ENDPOINT_CHANGE: ("endpoint", f"{SALES} admin support"),
    Action.SECRET_VIEW: ("endpoint", f"{SALES} admin"),
    Action.SECRET_ROTATE: ("endpoint", f"{SALES} admin support"),
    Action.TRANSLATION_APPLY: ("event type", f"{REVIEWERS} admin"),
    Action.ROUTING_RULE_VIEW: ("rule", f"{STOCK} reviewer admin support"),
    Action.ROUTING_RULE_CHANGE: ("topic", f"{REVIEWERS} admin"),
    Action.ADAPTER_VIEW: ("adapter", f"{SALES} admin support"),
    Action.ADAPTER_CREATE: ("application", f"{SALES} admin"),
    Action.ADAPTER_CHANGE: ("adapter", f"{SALES} admin"),
    Action.EVENT_VIEW: ("event", f"{SALES} {STOCK} reviewer admin support"),
    Action.PAYLOAD_VIEW: ("event", f"{SALES} {STOCK} reviewer admin support"),
    Action.SENSITIVE_VIEW: ("event", f"{SALES} {STOCK} admin"),
    Action.PAYLOAD_EXPUNGE: ("event", "admin"),
    Action.EVENT_CORRECT: ("event", f"{SALES} admin support"),
    Action.EVENT_COPY: ("event", f"{SALES} admin support"),
    Action.DELIVERY_VIEW: ("delivery", f"{SALES} admin support"),
    Action.DELIVERY_TRACE: ("delivery", f"{SALES} admin support"),
    Action.DELIVERY_REPLAY: ("delivery", f"{SALES} admin support"),
    Action.DELIVERY_DISCARD: ("delivery", f"{SALES} admin support"),
    Action.REPLAY_VIEW: ("replay", f"{SALES} admin support"),
    Action.REPLAY_MANY: ("replay", "admin"),
    Action.REPLAY_CANCEL: ("replay", "admin support"),
    Action.FAILURE_VIEW: ("failure", f"{SALES} admin support"),
    Action.FAILURE_HANDLE: ("failure", f"{SALES} admin support"),
    Action.RUNBOOK_VIEW: ("runbook", f"{SALES} {STOCK} reviewer admin support"),
    Action.RUNBOOK_CHANGE: ("runbook", f"{SALES} {STOCK} admin support"),
    Action.OPERATIONS_VIEW: ("", "admin support"),
    Action.TRAFFIC_VIEW: ("subscription", f"{SALES} admin support"),
}
ONLY_TIME_DOES = {Action.GRANT_EXPIRE}


def expected(action: Action) -> set[str]:
    names = {name.replace("-", " ") for name in MATRIX[action][1].split()}
    return names if action in ONLY_TIME_DOES else {*names, "superuser"}


def test_every_action_has_a_rule_and_a_row_here() -> None:
    assert set(MATRIX) == set(Action) == set(roles.RULES)


@pytest.mark.parametrize("action", Action)
def test_matrix(world: World, action: Action) -> None:
    thing = world.things[MATRIX[action][0]]
    allowed = {
        name for name, person in world.people.items() if access.allows(person, action, thing)
    }
    assert allowed == expected(action)


@pytest.mark.parametrize("action", [action for action in Action if MATRIX[action][0]])
def test_list_button_and_mail_agree_with_the_single_question(world: World, action: Action) -> None:
    thing = world.thing(MATRIX[action][0])
    rows: models.QuerySet[models.Model] = type(thing)._default_manager.all()
    listed, offered = set(), set()
    for name, person in world.people.items():
        if access.restrict(rows, person, action).filter(pk=thing.pk).exists():
            listed.add(name)
        if action in access.can(person, thing, [Action.TOPIC_VIEW, action]):
            offered.add(name)
    assert listed == offered == expected(action)
    if is_answerable(roles.RULES[action]):
        mailed = set(access.people_who_can(action, thing))
        assert mailed & set(world.people.values()) == {world.person(name) for name in listed}


def test_unknown_action_is_nobodys(world: World) -> None:
    for person in world.people.values():
        assert not access.allows(person, "topic:sell", world.things["topic"])
        assert not access.allows(person, "topic:sell")
        assert not access.allows(person, "")


def test_inactive_and_anonymous_may_nothing_in_general(world: World) -> None:
    for name in ("inactive superuser", "inactive owner", "anonymous"):
        for action in Action:
            assert not access.allows(world.people[name], action)
    assert not access.allows(None, Action.TOPIC_VIEW)


def test_nothing_is_allowed_with_a_thing_that_is_not_stored(world: World) -> None:
    topic = Topic(name="new", title="New", owner=factories.make_team())
    assert not access.allows(world.people["admin"], Action.TOPIC_CHANGE, topic)


def test_model_that_no_rule_places_is_nobodys_own(world: World) -> None:
    group = world.person("alice").groups.first()
    assert group is not None
    for action in (Action.TOPIC_VIEW, Action.APPLICATION_CHANGE, Action.CHANGE_EDIT):
        assert not access.allows(world.people["alice"], action, group)


@pytest.mark.parametrize(
    "action", [Action.CHANGE_APPROVE, Action.CHANGE_REJECT, Action.ACCESS_REQUEST_DECIDE]
)
@pytest.mark.parametrize("who", ["admin", "own reviewer", "superuser"])
def test_nobody_decides_what_they_asked_for(world: World, action: Action, who: str) -> None:
    author, topic = world.person(who), factories.make_topic(owner=factories.make_team("stock"))
    thing = (
        factories.make_access_request(topic=topic, by=author)
        if action == Action.ACCESS_REQUEST_DECIDE
        else factories.make_change_request(topic=topic, by=author)
    )
    assert not access.allows(author, action, thing)
    assert author not in access.people_who_can(action, thing)


def test_nobody_approves_what_an_application_of_their_team_proposed(world: World) -> None:
    stock = factories.make_team("stock")
    account = factories.make_application(team=stock).service_account
    change = factories.make_change_request(topic=factories.make_topic(), by=account)
    assert not access.allows(world.people["own reviewer"], Action.CHANGE_APPROVE, change)
    assert access.allows(world.people["reviewer"], Action.CHANGE_APPROVE, change)
    may = access.people_who_can(Action.CHANGE_APPROVE, change)
    assert world.person("own reviewer") not in may


SERVICE_MATRIX = {
    "topic": {Action.TOPIC_PUBLISH, Action.TOPIC_SUBSCRIBE},  # to publish: in open staging
    "application": {Action.APPLICATION_DEPLOY, Action.APPLICATION_VIEW, Action.SUBSCRIPTION_CREATE},
    "subscription": {
        Action.SUBSCRIPTION_VIEW,
        Action.SUBSCRIPTION_CHANGE,
        Action.SUBSCRIPTION_PAUSE,
        Action.SUBSCRIPTION_RESUME,
        Action.SUBSCRIPTION_TEST,
        Action.SUBSCRIPTION_END,
    },
    "endpoint": {Action.ENDPOINT_CHANGE, Action.SECRET_ROTATE},
    "delivery": {Action.DELIVERY_VIEW, Action.DELIVERY_TRACE, Action.DELIVERY_REPLAY},
    "failure": {Action.FAILURE_VIEW},
    "event": {Action.EVENT_VIEW, Action.PAYLOAD_VIEW, Action.SENSITIVE_VIEW},
    "grant": {Action.GRANT_VIEW},
    "key": set(),
    "team": set(),
}


@pytest.mark.parametrize("name", SERVICE_MATRIX)
def test_application_may_use_its_own_things_and_decide_nothing(world: World, name: str) -> None:
    application = world.thing("application")
    account = application.service_account  # type: ignore[attr-defined]
    thing = world.thing(name)
    words = {action for action, (kind, _who) in MATRIX.items() if kind == name}
    words.discard(Action.TOPIC_VIEW)
    assert access.can(account, thing, words) == SERVICE_MATRIX[name]


@pytest.mark.parametrize("name", ["subscription", "delivery", "failure", "grant", "endpoint"])
def test_application_of_the_same_team_sees_nothing_of_another(world: World, name: str) -> None:
    sibling = factories.make_application(team=factories.make_team("sales"))
    assert access.can(sibling.service_account, world.thing(name), Action) == frozenset()


def test_require_says_so(world: World) -> None:
    with pytest.raises(PermissionDenied):
        access.require(world.people["charlie"], Action.TOPIC_CHANGE, world.things["topic"])
    access.require(world.people["dave"], Action.TOPIC_CHANGE, world.things["topic"])


def test_local_addition_counts(world: World) -> None:
    """A permission that someone adds by hand to a role or a person works like the table's."""
    charlie = world.person("charlie")
    factories.give_permission(charlie, "catalog.change_topic")
    again = User.objects.get(pk=charlie.pk)
    assert access.allows(again, Action.TOPIC_CHANGE, world.things["topic"])
    assert again in access.people_who_can(Action.TOPIC_CHANGE, world.thing("topic"))


def test_every_path_of_every_place_leads_somewhere() -> None:
    """A renamed field fails here and not in somebody's page."""
    from django.apps import apps  # noqa: PLC0415 - beside its only use

    for label, place in ownership.PLACES.items():
        model = apps.get_model(label)
        paths = [place.application, place.topic, place.author, *ownership.owners(model)]
        for path in paths:
            if path and path != ownership.SELF:
                str(model._default_manager.filter(**{f"{path}__isnull": False}).query)


def test_permissions_of_the_table_exist_and_roles_hold_them(db: None) -> None:
    from django.contrib.auth.models import Group  # noqa: PLC0415 - beside its only use

    for role in roles.ROLES:
        permissions = Group.objects.get(name=role).permissions.select_related("content_type")
        held = {f"{one.content_type.app_label}.{one.codename}" for one in permissions}
        assert held == {name for name, holders in roles.HOLDERS.items() if role in holders}
    used = {rule.may for rule in roles.RULES.values() if rule.may}
    assert used <= set(roles.HOLDERS)
