"""The hash chain: appending entries, and verifying every link and every snapshot it names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models

from catalog import history
from catalog.ids import uuid7
from governance import canonical
from governance.models import LedgerEntry, LedgerHead

SYSTEM_NAME = "Signalbox"
GENESIS = "0" * 64


@dataclass(kw_only=True)
class Entry:
    """An entry that waits for its place in the chain."""

    action: str
    subject_type: str
    subject_id: str
    subject_label: str
    acting: history.Acting
    before: Mapping[str, object]
    after: Mapping[str, object]
    related: list[str]
    snapshots: list[models.Model] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        action: str,
        subject: models.Model,
        *,
        acting: history.Acting,
        before: Mapping[str, object],
        after: Mapping[str, object],
        related: tuple[models.Model, ...],
    ) -> Entry:
        """Describe what `acting` did to `subject`."""
        return cls(
            action=str(action),
            subject_type=subject._meta.label_lower,
            subject_id=str(subject.pk),
            subject_label=str(subject)[:300],
            acting=acting,
            before=before,
            after=after,
            related=[reference(thing) for thing in (subject, *related)],
        )

    @classmethod
    def of_snapshot(cls, row: models.Model, *, acting: history.Acting) -> Entry:
        """Describe a tracked change that no verb named."""
        model = row.instance_type  # type: ignore[attr-defined]  # the history library's
        kind = {"+": "create", "~": "change", "-": "delete"}[row.history_type]  # type: ignore[attr-defined]
        return cls(
            action=f"{model._meta.model_name}:{kind}",
            subject_type=model._meta.label_lower,
            subject_id=str(getattr(row, model._meta.pk.attname)),
            subject_label=str(row.instance)[:300],  # type: ignore[attr-defined]
            acting=acting,
            before={},
            after={},
            related=[f"{model._meta.label_lower}:{getattr(row, model._meta.pk.attname)}"],
        )


def reference(thing: models.Model) -> str:
    """Return the name by which `LedgerEntry.related` knows a thing."""
    return f"{thing._meta.label_lower}:{thing.pk}"


def append(entries: list[Entry]) -> None:
    """Chain the entries: the last statements of the outermost governed transaction."""
    if not entries:
        return
    head = LedgerHead.objects.select_for_update().first() or LedgerHead()
    rows = []
    for entry in entries:
        head.number += 1
        row = _row(entry, number=head.number, previous_hash=head.hash)
        head.hash = row.hash
        rows.append(row)
    LedgerEntry.objects.bulk_create(rows)
    head.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('signalbox_governance', %s)", [str(head.number)])


def _row(entry: Entry, *, number: int, previous_hash: str) -> LedgerEntry:
    actor = entry.acting.actor
    row = LedgerEntry(
        id=uuid7(),
        number=number,
        at=entry.acting.at,
        actor_id=actor.pk if actor else None,
        actor_name=actor.display_name if actor else SYSTEM_NAME,
        action=entry.action,
        subject_type=entry.subject_type,
        subject_id=entry.subject_id,
        subject_label=entry.subject_label,
        reason=entry.acting.reason,
        before=canonical.plain(entry.before),
        after=canonical.plain(entry.after),
        snapshots=[_seal(snapshot) for snapshot in entry.snapshots],
        related=entry.related,
        previous_hash=previous_hash,
    )
    row.hash = hash_of(row)
    return row


def hash_of(row: LedgerEntry) -> str:
    """Return SHA-256 (hex) over every column of the entry but `hash` itself."""
    columns = {
        f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.name != "hash"
    }
    return hashlib.sha256(canonical.encode(columns)).hexdigest()


def _seal(snapshot: models.Model) -> dict[str, str]:
    return {
        "table": snapshot._meta.label_lower,
        "id": str(snapshot.pk),
        "sha256": _digest(snapshot),
    }


def _digest(snapshot: models.Model) -> str:
    columns = {f.attname: getattr(snapshot, f.attname) for f in snapshot._meta.concrete_fields}
    return hashlib.sha256(canonical.encode(columns)).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The first place where the chain does not hold."""

    number: int
    what: str


def verify(*, batch_size: int = 500) -> Fault | None:
    """Walk the chain from its first entry; return the first fault, None when all holds.

    Finds changed, removed and inserted entries, changed or removed snapshots, and snapshots that no
    entry names.
    """
    expected, previous_hash, named = 1, GENESIS, 0
    for batch in _batches(batch_size):
        for row in batch:
            if row.number != expected:
                return Fault(number=expected, what=f"Entry {expected} is missing.")
            if row.previous_hash != previous_hash:
                return Fault(number=row.number, what="It does not follow the entry before it.")
            if row.hash != hash_of(row):
                return Fault(number=row.number, what="Its values were changed after it was written.")
            previous_hash, expected = row.hash, expected + 1
            named += len(row.snapshots)
        fault = _snapshots_fault(batch)
        if fault:
            return fault
    head = LedgerHead.objects.first() or LedgerHead()
    if (head.number, head.hash) != (expected - 1, previous_hash):
        return Fault(number=expected - 1, what="The last entries were removed.")
    stored = sum(model._default_manager.count() for model in _history_models())
    if stored != named:
        return Fault(
            number=expected - 1,
            what=f"History has {stored} snapshots; the ledger names {named}.",
        )
    return None


def _batches(size: int) -> Iterator[list[LedgerEntry]]:
    last = 0
    while batch := list(LedgerEntry.objects.filter(number__gt=last).order_by("number")[:size]):
        yield batch
        last = batch[-1].number


def _snapshots_fault(batch: list[LedgerEntry]) -> Fault | None:
    wanted: dict[str, dict[UUID, tuple[int, str]]] = {}
    for row in batch:
        for seal in row.snapshots:
            by_id = wanted.setdefault(seal["table"], {})
            by_id[UUID(seal["id"])] = (row.number, seal["sha256"])
    for table, by_id in wanted.items():
        found: dict[Any, models.Model] = apps.get_model(table)._default_manager.in_bulk(
            list(by_id)
        )
        for pk, (number, digest) in by_id.items():
            if pk not in found:
                return Fault(number=number, what=f"Its snapshot {table} {pk} is missing.")
            if _digest(found[pk]) != digest:
                return Fault(number=number, what=f"Its snapshot {table} {pk} was changed.")
    return None


def _history_models() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        if history.is_tracked(model):
            yield model.history.model  # type: ignore[attr-defined]  # set by the history library


def version() -> int:
    """Return the governance version: the number of the last entry."""
    return LedgerHead.objects.values_list("number", flat=True).first() or 0
