"""Rules decide for each subscription once, by the first that speaks of it, whatever they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import filters, rules
from delivery.rules import Facts, Party, Rule, Ruling
from delivery.states import RuleAction, RuleEffect

SHOP, SHEET = uuid4(), uuid4()


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    id: UUID
    application_id: UUID


ONE, TWO, THREE = (Subscriber(id=uuid4(), application_id=owner) for owner in (SHOP, SHEET, SHEET))
ALL = (ONE, TWO, THREE)
FACTS = Facts(
    type_name="com.acme.order.created",
    regions=frozenset({"eu"}),
    attributes={"subject": "EU-1", "type": "com.acme.order.created"},
    data={"total": 150},
)


def rule(action: RuleAction, **fields: object) -> Rule:
    return Rule(id=uuid4(), number=1, version=1, name="A rule", action=action, **fields)  # type: ignore[arg-type]  # fields by name


def only(one: Subscriber) -> Party:
    return Party(subscription_id=one.id)


def decided(
    asked: Sequence[Rule],
    *,
    wanting: Sequence[Subscriber] = ALL,
    able: Sequence[Subscriber] = ALL,
    facts: Facts = FACTS,
) -> dict[UUID, RuleEffect]:
    found = rules.decide(
        asked,
        facts,
        standing=ALL,
        wanting={one.id for one in wanting},
        able={one.id for one in able},
    )
    return {pk: ruling.effect for pk, ruling in found.items()}


def test_without_rules_nothing_is_decided() -> None:
    assert decided([]) == {}


def test_deny_keeps_away_whom_it_concerns_and_nobody_who_did_not_ask() -> None:
    deny = rule(RuleAction.DENY, concerns=Party(application_id=SHEET))
    assert decided([deny], wanting=[ONE, TWO]) == {TWO.id: RuleEffect.DENIED}


def test_what_an_earlier_rule_lets_pass_no_later_one_takes_away() -> None:
    asked = [rule(RuleAction.ALLOW, concerns=only(ONE)), rule(RuleAction.DENY)]
    assert decided(asked) == {
        ONE.id: RuleEffect.ALLOWED,
        TWO.id: RuleEffect.DENIED,
        THREE.id: RuleEffect.DENIED,
    }
    assert set(decided(asked[::-1]).values()) == {RuleEffect.DENIED}


def test_send_also_adds_who_did_not_ask_and_takes_from_nobody() -> None:
    also = rule(RuleAction.SEND_ALSO, sends_to=only(THREE))
    assert decided([also], wanting=[ONE]) == {THREE.id: RuleEffect.ADDED}


def test_nobody_is_added_who_could_not_read_it() -> None:
    also = rule(RuleAction.SEND_ALSO, sends_to=only(THREE))
    assert decided([also], wanting=[ONE], able=[ONE, TWO]) == {}


def test_send_instead_moves_it_from_one_to_another() -> None:
    instead = rule(RuleAction.SEND_INSTEAD, concerns=only(ONE), sends_to=only(TWO))
    assert decided([instead], wanting=[ONE, THREE]) == {
        ONE.id: RuleEffect.REPLACED,
        TWO.id: RuleEffect.ADDED,
    }


def test_send_instead_of_someone_who_would_not_get_it_sends_nothing() -> None:
    instead = rule(RuleAction.SEND_INSTEAD, concerns=only(ONE), sends_to=only(TWO))
    assert decided([instead], wanting=[THREE]) == {}


def test_send_instead_of_everybody_sends_even_where_nobody_asked() -> None:
    instead = rule(RuleAction.SEND_INSTEAD, sends_to=only(TWO))
    assert decided([instead], wanting=[]) == {TWO.id: RuleEffect.ADDED}
    assert decided([instead], wanting=[ONE, TWO]) == {
        ONE.id: RuleEffect.REPLACED,
        TWO.id: RuleEffect.ADDED,
    }


def test_two_that_send_to_each_other_send_once() -> None:
    there = rule(RuleAction.SEND_INSTEAD, concerns=only(ONE), sends_to=only(TWO))
    back = rule(RuleAction.SEND_INSTEAD, concerns=only(TWO), sends_to=only(ONE))
    assert decided([there, back], wanting=[ONE, TWO]) == {
        ONE.id: RuleEffect.REPLACED,
        TWO.id: RuleEffect.ADDED,
    }


def test_an_application_is_all_its_subscriptions() -> None:
    also = rule(RuleAction.SEND_ALSO, sends_to=Party(application_id=SHEET))
    assert set(decided([also], wanting=[])) == {TWO.id, THREE.id}


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({}, True),
        ({"event_types": frozenset({"com.acme.order.created"})}, True),
        ({"event_types": frozenset({"com.acme.order.paid"})}, False),
        ({"regions": frozenset({"eu", "us"})}, True),
        ({"regions": frozenset({"us"})}, False),
        ({"filter": filters.compile({"prefix": {"subject": "EU-"}})}, True),
        ({"filter": filters.compile({"prefix": {"subject": "US-"}})}, False),
        ({"filter": filters.compile({"jmespath": "total > `100`"})}, True),
        ({"filter": filters.compile([{"exact": {"subject": "x"}}, {"jmespath": "total"}])}, False),
    ],
)
def test_a_rule_speaks_of_what_it_matches(fields: dict[str, object], matches: bool) -> None:
    assert rule(RuleAction.DENY, **fields).matches(FACTS) is matches


PEOPLE = [Subscriber(id=UUID(int=n), application_id=UUID(int=100 + n % 3)) for n in range(6)]
NAMED = st.sampled_from(
    [
        *(Party(subscription_id=one.id) for one in PEOPLE),
        *(Party(application_id=UUID(int=100 + n)) for n in range(3)),
    ]
)
RULES = st.lists(
    st.builds(
        lambda action, concerns, target, types: Rule(
            id=uuid4(),
            number=1,
            version=1,
            name="r",
            action=action,
            concerns=concerns,
            sends_to=target if action in (RuleAction.SEND_ALSO, RuleAction.SEND_INSTEAD) else None,
            event_types=types,
        ),
        st.sampled_from(RuleAction),
        st.just(Party()) | NAMED,
        NAMED,
        st.sampled_from([frozenset(), frozenset({FACTS.type_name}), frozenset({"other"})]),
    ),
    max_size=8,
)
SOME = st.sets(st.sampled_from([one.id for one in PEOPLE]))


def _all(asked: Sequence[Rule], wanting: set[UUID], able: set[UUID]) -> dict[UUID, Ruling]:
    return rules.decide(asked, FACTS, standing=PEOPLE, wanting=wanting, able=able)


@given(RULES, SOME, SOME)
def test_nobody_is_added_but_by_name_and_nobody_taken_who_did_not_ask(
    asked: list[Rule], wanting: set[UUID], able: set[UUID]
) -> None:
    able |= wanting
    by_id = {one.id: one for one in PEOPLE}
    for pk, ruling in _all(asked, wanting, able).items():
        assert ruling.rule.matches(FACTS)
        if ruling.effect is RuleEffect.ADDED:
            assert pk in able
            assert ruling.rule.sends_to is not None
            assert ruling.rule.sends_to.has(by_id[pk])
        else:
            assert pk in wanting
            assert ruling.rule.concerns.has(by_id[pk])


@given(RULES, RULES, SOME, SOME)
def test_later_rules_never_change_what_earlier_ones_decided(
    first: list[Rule], second: list[Rule], wanting: set[UUID], able: set[UUID]
) -> None:
    able |= wanting
    alone, together = _all(first, wanting, able), _all(first + second, wanting, able)
    assert {pk: together[pk] for pk in alone} == alone


@given(RULES, SOME, SOME)
def test_the_same_rules_again_add_nothing(
    asked: list[Rule], wanting: set[UUID], able: set[UUID]
) -> None:
    able |= wanting
    assert _all(asked + asked, wanting, able) == _all(asked, wanting, able)
