"""Walking the ledger's chain: every link, every value, and every snapshot that an entry names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.apps import apps
from django.db import connection, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField

from catalog import history
from governance import ledger
from governance.models import LedgerEntry, LedgerHead

GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """The first entry where the chain does not hold, and why."""

    number: int
    what: str


def verify(*, batch_size: int = 500) -> Fault | None:
    """Walk the chain from its first entry; return the first fault, None when all holds.

    Finds changed, removed, inserted and reordered entries, changed and removed snapshots, and
    snapshots that no entry names. Someone who can rewrite the whole chain and its head is found
    only by comparing the head's hash with a copy kept elsewhere.
    """
    with _one_moment():
        walk = _Walk()
        for batch in _batches(batch_size):
            broken = next(filter(None, map(walk.step, batch)), None)
            sound = [row for row in batch if broken is None or row.number < broken.number]
            fault = _snapshots_fault(sound) or broken
            if fault is not None:
                return fault
        return walk.end()


@contextmanager
def _one_moment() -> Iterator[None]:
    """See the database as of one moment: entries that arrive meanwhile are no fault."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class _Walk:
    """Where a walk along the chain stands."""

    def __init__(self) -> None:
        self.number, self.hash, self.named = 0, GENESIS, 0

    def step(self, row: LedgerEntry) -> Fault | None:
        """Go on to the next entry; return what is wrong with it."""
        expected = self.number + 1
        if row.number != expected:
            return Fault(number=expected, what=f"Entry {expected} is missing.")
        if row.previous_hash != self.hash:
            return Fault(number=row.number, what="It does not follow the entry before it.")
        if row.hash != ledger.hash_of(row):
            return Fault(number=row.number, what="Its values were changed after it was written.")
        self.number, self.hash = row.number, row.hash
        self.named += len(row.snapshots)
        return None

    def end(self) -> Fault | None:
        """Hold the end of the walk against the head and the number of snapshots."""
        head = LedgerHead.objects.first() or LedgerHead()
        if head.number > self.number:
            gone = self.number + 1
            return Fault(number=gone, what=f"Entry {gone} and what followed it were removed.")
        if (head.number, head.hash) != (self.number, self.hash):
            return Fault(number=self.number, what="It was written past the head of the chain.")
        stored = sum(model._default_manager.count() for model in _history_models())
        return None if stored == self.named else self._stray()

    def _stray(self) -> Fault:
        named: dict[str, set[str]] = {}
        for seals in LedgerEntry.objects.values_list("snapshots", flat=True).iterator():
            for seal in seals:
                named.setdefault(seal["table"], set()).add(seal["id"])
        for model in _history_models():
            table = model._meta.label_lower
            for pk in model._default_manager.values_list("pk", flat=True).iterator():
                if str(pk) not in named.get(table, ()):
                    return Fault(
                        number=self.number, what=f"No entry names the snapshot {table} {pk}."
                    )
        return Fault(number=self.number, what="An entry names a snapshot twice.")


def _batches(size: int) -> Iterator[list[LedgerEntry]]:
    last = None
    while True:
        rows = LedgerEntry.objects.order_by("number")
        batch = list((rows if last is None else rows.filter(number__gt=last))[:size])
        if not batch:
            return
        yield batch
        last = batch[-1].number


def _snapshots_fault(rows: list[LedgerEntry]) -> Fault | None:
    """Return the first fault among the snapshots that these entries name."""
    wanted: dict[str, list[str]] = {}
    for row in rows:
        for seal in row.snapshots:
            wanted.setdefault(seal["table"], []).append(seal["id"])
    found = {table: _stored(table, ids) for table, ids in wanted.items()}
    for row in rows:
        for seal in row.snapshots:
            snapshot = found[seal["table"]].get(seal["id"])
            name = f"{seal['table']} {seal['id']}"
            if snapshot is None:
                return Fault(number=row.number, what=f"Its snapshot {name} is missing.")
            if not _is_as_sealed(snapshot, seal["sha256"]):
                return Fault(number=row.number, what=f"Its snapshot {name} was changed.")
    return None


def _is_as_sealed(snapshot: models.Model, sha256: str) -> bool:
    """Tell whether a snapshot is what was sealed, perhaps before some columns were added.

    Such a column still holds what its migration gave to all rows; anything else was written later.
    """
    if ledger.digest_of(snapshot) == sha256:
        return True
    without: list[str] = []
    for column, given in reversed(added_later(type(snapshot))):
        if getattr(snapshot, column) != given:
            return False
        without.append(column)
        if ledger.digest_of(snapshot, without=without) == sha256:
            return True
    return False


@cache
def added_later(model: type[models.Model]) -> list[tuple[str, object]]:
    """Return the columns that migrations added to a table, in order, with what rows got in them."""
    app, name = model._meta.app_label, model._meta.model_name
    graph = MigrationLoader(None).graph
    (leaf,) = graph.leaf_nodes(app)
    return [
        (model._meta.get_field(step.name).attname, step.field.get_default())  # type: ignore[union-attr]  # a column
        for place in graph.forwards_plan(leaf)
        if place[0] == app
        for step in graph.nodes[place].operations
        if isinstance(step, AddField) and step.model_name_lower == name
    ]


def _stored(table: str, ids: list[str]) -> dict[str, models.Model]:
    rows = apps.get_model(table)._default_manager.in_bulk([UUID(pk) for pk in ids])
    return {str(pk): row for pk, row in rows.items()}


def _history_models() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        if history.is_tracked(model):
            yield model.history.model  # type: ignore[attr-defined]  # set by the history library
