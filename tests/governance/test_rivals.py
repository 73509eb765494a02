"""Two at once: one wins, the other is told, nobody waits for ever, and the chain has no gap."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.utils import timezone
from guardian.shortcuts import get_perms

from catalog.moves import IllegalMove
from governance import access_requests, grants, refusals, teams, topics, verification
from governance.governed import governed
from governance.models import Grant, LedgerEntry, Refusal
from governance.states import GrantState
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
TIMEOUT_SECONDS = 20


def at_once(*verbs: Callable[[], object]) -> list[object]:
    """Run each verb on a connection of its own, started together; return results or errors."""
    ready = threading.Barrier(len(verbs))

    def run(verb: Callable[[], object]) -> object:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '15s'")
            ready.wait(TIMEOUT_SECONDS)
            return verb()
        except Exception as error:  # noqa: BLE001 - what it was is what the test looks at
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return [one.result(TIMEOUT_SECONDS) for one in [pool.submit(run, verb) for verb in verbs]]


def of_kind(results: list[object], kind: type[object]) -> list[object]:
    return [result for result in results if isinstance(result, kind)]


def assert_gapless() -> None:
    numbers = list(LedgerEntry.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert verification.verify() is None


def test_one_of_two_equal_grants_wins_and_the_other_names_it() -> None:
    application, topic = factories.make_application(), factories.make_topic()
    admins = [factories.make_admin() for _ in range(2)]

    def give(number: int) -> Grant:
        return factories.make_grant(application, topic=topic, by=admins[number], now=NOW)

    results = at_once(lambda: give(0), lambda: give(1))
    (winner,) = of_kind(results, Grant)
    (loser,) = of_kind(results, ValidationError)
    assert str(winner) in str(loser)
    assert Grant.objects.in_force(NOW).count() == 1
    assert_gapless()


def test_one_of_two_decisions_wins_and_the_other_is_too_late() -> None:
    request = factories.make_access_request()
    admins = [factories.make_admin() for _ in range(2)]
    results = at_once(
        lambda: access_requests.approve(request, by=admins[0], until=None, now=NOW),
        lambda: access_requests.reject(request, by=admins[1], note="No.", now=NOW),
    )
    assert len(of_kind(results, IllegalMove)) == 1
    request.refresh_from_db()
    assert Grant.objects.count() == (1 if request.state == "approved" else 0)
    assert_gapless()


def test_one_of_two_equal_requests_wins() -> None:
    team = factories.make_team()
    people = [factories.make_person(team=team) for _ in range(2)]
    application, topic = factories.make_application(team=team), factories.make_topic()

    def ask(number: int) -> object:
        return access_requests.make(
            application,
            verb="publish",
            topic=topic,
            environment="staging",
            by=people[number],
            reason="Tests.",
            wanted_until=None,
            now=NOW,
        )

    results = at_once(lambda: ask(0), lambda: ask(1))
    assert len(of_kind(results, ValidationError)) == 1
    assert application.accessrequests.count() == 1
    assert_gapless()


def test_revoking_and_giving_at_once_leave_the_view_that_the_new_grant_needs() -> None:
    topic = factories.make_topic(is_restricted=True)
    admins = [factories.make_admin() for _ in range(2)]
    for _round in range(5):
        application = factories.make_application()
        old = factories.make_grant(application, topic=topic, verb="subscribe")
        results = at_once(
            lambda old=old: grants.revoke(old, by=admins[0], reason="Over.", now=NOW),  # type: ignore[misc]
            lambda to=application: factories.make_grant(  # type: ignore[misc]
                to, topic=topic, verb="publish", by=admins[1]
            ),
        )
        assert not of_kind(results, Exception)
        held = set(get_perms(application.service_account, topic))
        assert held == {"publish_topic", "view_topic"}
    assert_gapless()


def test_expiry_and_revocation_at_once_end_a_grant_once() -> None:
    grant = factories.make_grant(until=NOW + timedelta(days=1), now=NOW)
    admin, later = factories.make_admin(), NOW + timedelta(days=2)
    results = at_once(
        lambda: grants.expire(now=later),
        lambda: grants.revoke(grant, by=admin, reason="Over.", now=later),
    )
    grant.refresh_from_db()
    assert grant.state in {GrantState.EXPIRED, GrantState.REVOKED}
    assert len(of_kind(results, Exception)) == (grant.state == GrantState.EXPIRED)
    assert LedgerEntry.objects.about(grant).count() == 2  # given, ended
    assert_gapless()


def test_many_verbs_at_once_leave_a_chain_without_gaps() -> None:
    admin = factories.make_admin()
    made = [factories.make_topic() for _ in range(4)]
    verbs: list[Callable[[], object]] = []
    for number, topic in enumerate(made):
        verbs.append(
            lambda topic=topic, number=number: topics.change(  # type: ignore[misc]
                topic, title=f"Title {number}", by=admin, now=NOW
            )
        )
        verbs.append(lambda topic=topic: factories.make_grant(topic=topic, by=admin))  # type: ignore[misc]
    results = at_once(*verbs)
    assert not of_kind(results, Exception)
    assert_gapless()


def test_verbs_that_nest_crosswise_do_not_deadlock() -> None:
    """The chain's head is taken last: taken at each inner verb's end, these two would meet."""
    admin = factories.make_admin()
    first, second = factories.make_team(), factories.make_team()
    met = threading.Barrier(2)

    def change_both(one: object, other: object) -> None:
        with governed(by=admin, now=NOW):
            teams.change(one, name=f"{one} again", by=admin, now=NOW)  # type: ignore[arg-type]
            met.wait(TIMEOUT_SECONDS)
            teams.create(slug=f"new-{one}".lower(), name=f"New {other}", by=admin, now=NOW)

    results = at_once(lambda: change_both(first, second), lambda: change_both(second, first))
    assert results == [None, None]
    assert_gapless()


def test_failed_verb_beside_others_leaves_no_gap() -> None:
    admin, team = factories.make_admin(), factories.make_team()

    def fail() -> None:
        with governed(by=admin, now=NOW):
            teams.change(team, name="Never", by=admin, now=NOW)
            raise ZeroDivisionError

    def change(number: int) -> object:
        return topics.change(factories.make_topic(), title=f"T{number}", by=admin, now=NOW)

    results = at_once(fail, lambda: change(1), fail, lambda: change(2))
    assert len(of_kind(results, ZeroDivisionError)) == 2
    assert len(of_kind(results, Exception)) == 2
    assert_gapless()


def test_refusals_at_once_are_counted_and_enter_the_ledger_once() -> None:
    person = factories.make_person()
    moment = NOW.replace(minute=30, second=0)

    def refuse() -> None:
        refusals.note(person, "topic:change", "orders", now=moment)

    assert at_once(*[refuse] * 6) == [None] * 6
    assert Refusal.objects.get().count == 6
    assert LedgerEntry.objects.filter(action=refusals.LEDGER_ACTION).count() == 1
    assert_gapless()
