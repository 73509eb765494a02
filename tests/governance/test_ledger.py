"""The chain holds, and every kind of tampering is found at its entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from catalog import history
from catalog.models import Domain, Team, Topic
from governance import immutability, ledger, verification
from governance.actions import Action
from governance.governed import governed, record
from governance.models import LedgerEntry, LedgerHead
from tests import factories

pytestmark = pytest.mark.django_db

LEDGER = "governance_ledgerentry"
TEAM_HISTORY = "catalog_historicalteam"
TRACKED = [model for model in apps.get_models() if history.is_tracked(model)]


def execute(statement: str, *values: UUID | str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))


@contextmanager
def triggers_disabled(*tables: str) -> Iterator[None]:
    """Let a tamperer who owns the tables at them."""
    for table in tables:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def chain() -> list[LedgerEntry]:
    """Five entries about five teams, one snapshot each."""
    for name in "ABCDE":
        factories.make_team(f"team-{name.lower()}", name=name)
    assert verification.verify() is None
    return list(LedgerEntry.objects.order_by("number")[:5])


def tamper_value(entry: LedgerEntry) -> None:
    execute(f"UPDATE {LEDGER} SET reason = 'other' WHERE id = %s", entry.pk)


def tamper_actor(entry: LedgerEntry) -> None:
    execute(f"UPDATE {LEDGER} SET actor_name = 'Somebody Else' WHERE id = %s", entry.pk)


def tamper_instant(entry: LedgerEntry) -> None:
    execute(f"UPDATE {LEDGER} SET at = at - interval '1 microsecond' WHERE id = %s", entry.pk)


def tamper_related(entry: LedgerEntry) -> None:
    execute(f"UPDATE {LEDGER} SET related = '[]' WHERE id = %s", entry.pk)


def tamper_seals(entry: LedgerEntry) -> None:
    execute(f"UPDATE {LEDGER} SET snapshots = '[]' WHERE id = %s", entry.pk)


def tamper_removed(entry: LedgerEntry) -> None:
    execute(f"DELETE FROM {LEDGER} WHERE id = %s", entry.pk)


def tamper_removed_and_closed_up(entry: LedgerEntry) -> None:
    tamper_removed(entry)
    for number in range(entry.number + 1, LedgerHead.objects.get().number + 1):
        execute(f"UPDATE {LEDGER} SET number = number - 1 WHERE number = %s", number)


def tamper_inserted(entry: LedgerEntry) -> None:
    for number in range(LedgerHead.objects.get().number, entry.number - 1, -1):
        execute(f"UPDATE {LEDGER} SET number = number + 1 WHERE number = %s", number)
    forged = LedgerEntry.objects.get(pk=entry.pk)
    forged.pk, forged.number, forged.reason = factories.make_uuid(), entry.number, "forged"
    forged.save(force_insert=True)


def tamper_reordered(entry: LedgerEntry) -> None:
    execute(f"UPDATE {LEDGER} SET number = 999 WHERE number = %s", entry.number)
    execute(f"UPDATE {LEDGER} SET number = number - 1 WHERE number = %s", entry.number + 1)
    execute(f"UPDATE {LEDGER} SET number = %s WHERE number = 999", entry.number + 1)


def tamper_snapshot(entry: LedgerEntry) -> None:
    pk = entry.snapshots[0]["id"]
    execute(f"UPDATE {TEAM_HISTORY} SET name = 'Other' WHERE history_id = %s", pk)


def tamper_snapshot_author(entry: LedgerEntry) -> None:
    pk = entry.snapshots[0]["id"]
    execute(f"UPDATE {TEAM_HISTORY} SET history_user_name = 'X' WHERE history_id = %s", pk)


def tamper_snapshot_removed(entry: LedgerEntry) -> None:
    execute(f"DELETE FROM {TEAM_HISTORY} WHERE history_id = %s", entry.snapshots[0]["id"])


@pytest.mark.parametrize(
    "tamper",
    [
        tamper_value,
        tamper_actor,
        tamper_instant,
        tamper_related,
        tamper_seals,
        tamper_removed,
        tamper_removed_and_closed_up,
        tamper_inserted,
        tamper_reordered,
        tamper_snapshot,
        tamper_snapshot_author,
        tamper_snapshot_removed,
    ],
)
@pytest.mark.parametrize("batch_size", [2, 500])
def test_tampering_is_found_at_its_entry(
    chain: list[LedgerEntry], tamper: Callable[[LedgerEntry], None], batch_size: int
) -> None:
    victim = chain[2]
    with triggers_disabled(LEDGER, TEAM_HISTORY):
        tamper(victim)
    fault = verification.verify(batch_size=batch_size)
    assert fault is not None
    assert fault.number == victim.number


def test_earlier_of_two_faults_is_named(chain: list[LedgerEntry]) -> None:
    with triggers_disabled(LEDGER, TEAM_HISTORY):
        tamper_value(chain[4])
        tamper_snapshot(chain[1])
    fault = verification.verify()
    assert fault is not None
    assert fault.number == chain[1].number


def test_removed_end_is_found(chain: list[LedgerEntry]) -> None:
    with triggers_disabled(LEDGER):
        tamper_removed(chain[4])
    fault = verification.verify()
    assert fault is not None
    assert fault.number == chain[4].number


def test_entry_past_the_head_is_found(chain: list[LedgerEntry]) -> None:
    execute("UPDATE governance_ledgerhead SET number = 4, hash = %s", chain[3].hash)
    fault = verification.verify()
    assert fault is not None
    assert fault.number == chain[4].number


def test_emptied_ledger_is_found(chain: list[LedgerEntry]) -> None:
    with triggers_disabled(LEDGER):
        execute(f"DELETE FROM {LEDGER}")
    fault = verification.verify()
    assert fault is not None
    assert fault.number == 1


def test_snapshots_of_before_an_upgrade_hold_and_are_guarded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Columns that a migration adds stand in rows that were sealed without them."""
    later = [column for column, _given in verification.added_later(Topic.history.model)]
    assert {"batch_times", "house_rules"} <= set(later)
    with monkeypatch.context() as before_the_upgrade:
        sealed = partial(ledger.digest_of, without=later)
        before_the_upgrade.setattr(ledger, "digest_of", sealed)
        topic = factories.make_topic("sales.orders")
    assert verification.verify() is None
    table = Topic.history.model._meta.db_table
    with triggers_disabled(table):
        for change in ('house_rules = \'{"time_has_zone": "off"}\'', "title = 'Other'"):
            with transaction.atomic():
                execute(f"UPDATE {table} SET {change} WHERE id = %s", topic.pk)
                fault = verification.verify()
                transaction.set_rollback(True)
            assert fault is not None
            assert "was changed" in fault.what


def test_snapshot_that_no_entry_names_is_found(chain: list[LedgerEntry]) -> None:
    forged = Team.history.model.objects.first()
    forged.pk, forged.name = factories.make_uuid(), "Forged"
    forged.save(force_insert=True)
    fault = verification.verify()
    assert fault is not None
    assert str(forged.pk) in fault.what


def test_command_names_the_first_bad_entry_and_exits_with_1(chain: list[LedgerEntry]) -> None:
    call_command("verify_ledger")
    with triggers_disabled(LEDGER):
        tamper_value(chain[3])
    with pytest.raises(CommandError, match=f"#{chain[3].number}") as caught:
        call_command("verify_ledger")
    assert caught.value.returncode == 1


@pytest.mark.parametrize("model", TRACKED, ids=lambda model: model._meta.label)
def test_history_of_every_tracked_model_refuses_rewriting(model: type[models.Model]) -> None:
    table = model.history.model._meta.db_table  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass "
            "AND NOT tgisinternal AND tgname LIKE 'refuse_%%'",
            [table],
        )
        triggers = dict(cursor.fetchall())
    assert triggers.get("refuse_rewrite") == "O", f"{table} needs immutability.guard in a migration"


@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
@pytest.mark.parametrize("table", [LEDGER, TEAM_HISTORY])
def test_database_refuses_to_rewrite(chain: list[LedgerEntry], table: str, change: str) -> None:
    column = "reason" if table == LEDGER else "name"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute(change.format(table, column, "'x'"))


def test_tracked_change_outside_governed_is_refused() -> None:
    team = factories.make_team()
    team.name = "Other"
    with pytest.raises(history.NotGoverned), transaction.atomic():
        team.save()
    team.refresh_from_db()
    assert team.name != "Other"


def test_record_outside_governed_is_refused() -> None:
    with pytest.raises(history.NotGoverned):
        record(Action.TEAM_CHANGE, factories.make_team())


def test_change_that_no_verb_named_gets_an_entry() -> None:
    team = factories.make_team("sales")
    last = LedgerEntry.objects.latest("number")
    assert (last.action, last.subject_id) == ("team:create", str(team.pk))
    assert len(last.snapshots) == 1


def change_something(team: Team) -> None:
    record(Action.TEAM_CHANGE, team, after={"name": "inner"})
    Domain.objects.create(slug="inner", name="Inner", owner=team)


def fail_after(change: Callable[[], object]) -> None:
    change()
    raise RuntimeError


def test_failed_verb_leaves_no_entry_and_no_gap() -> None:
    factories.make_team()
    before = LedgerHead.objects.get().number
    with pytest.raises(RuntimeError), governed(by=None, now=timezone.now()):
        fail_after(factories.make_team)
    assert LedgerHead.objects.get().number == before
    factories.make_team()
    assert LedgerHead.objects.get().number == before + 1
    assert verification.verify() is None


def test_caught_failure_of_an_inner_verb_leaves_only_the_outer_one() -> None:
    team = factories.make_team()
    before = LedgerHead.objects.get().number
    with governed(by=None, now=timezone.now()):
        with pytest.raises(RuntimeError), governed(by=None, now=timezone.now()):
            fail_after(lambda: change_something(team))
        record(Action.TEAM_CHANGE, team, after={"name": "outer"})
    written = LedgerEntry.objects.filter(number__gt=before)
    assert [entry.after for entry in written] == [{"name": "outer"}]
    assert verification.verify() is None


def test_nested_verb_keeps_its_own_author_and_reason() -> None:
    team, alice = factories.make_team(), factories.make_person()
    now = timezone.now()
    with governed(by=alice, now=now, reason="outer"):
        with governed(by=None, now=now + timedelta(seconds=1), reason="inner"):
            record(Action.GRANT_EXPIRE, team)
        record(Action.TEAM_CHANGE, team)
    inner, outer = LedgerEntry.objects.order_by("-number")[:2][::-1]
    assert (inner.actor_id, inner.reason) == (None, "inner")
    assert (outer.actor_id, outer.reason) == (alice.pk, "outer")


def test_values_come_back_as_they_were_sealed() -> None:
    """What the database stores in another form (a whole float, a large integer) is no tampering."""
    team = factories.make_team()
    with governed(by=None, now=timezone.now()):
        record(
            Action.TEAM_CHANGE,
            team,
            after={"whole": 1.0, "huge": 2**60, "large": 1e20, "text": "Zoë ✓", "none": None},
        )
    assert verification.verify() is None


def test_guarded_table_refuses_to_be_emptied() -> None:
    """The test settings drop this trigger from the real tables, so a table of its own has it."""
    execute("CREATE TABLE guarded (id integer)")
    guard = immutability.guard("guarded")
    for statement in guard.sql:
        execute(str(statement))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute("TRUNCATE guarded")


def test_migration_may_rewrite_history_in_its_own_transaction(chain: list[LedgerEntry]) -> None:
    with transaction.atomic():
        execute("SET LOCAL signalbox.rewriting_history = 'yes'")
        execute(f"UPDATE {TEAM_HISTORY} SET description = ''")
        execute("SET LOCAL signalbox.rewriting_history = 'no'")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute(f"UPDATE {TEAM_HISTORY} SET description = ''")
