"""The hash chain: appending entries; `verification` walks it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.apps import apps
from django.db import connection, models

from catalog import history
from catalog.ids import uuid7
from governance import canonical
from governance.models import LedgerEntry, LedgerHead

SYSTEM_NAME = "Signalbox"


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
    seals = _seals(entries)  # before the lock: nothing but the chain is touched under it
    head = _locked_head()
    rows = []
    for entry, sealed in zip(entries, seals, strict=True):
        head.number += 1
        row = _row(entry, sealed, number=head.number, previous_hash=head.hash)
        head.hash = row.hash
        rows.append(row)
    LedgerEntry.objects.bulk_create(rows)
    head.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('signalbox_governance', %s)", [str(head.number)])


def _locked_head() -> LedgerHead:
    head = LedgerHead.objects.select_for_update().first()
    if head is None:  # a migration made it; an emptied test database has none
        LedgerHead.objects.bulk_create([LedgerHead()], ignore_conflicts=True)
        head = LedgerHead.objects.select_for_update().get()
    return head


def _row(
    entry: Entry, seals: list[dict[str, str]], *, number: int, previous_hash: str
) -> LedgerEntry:
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
        reason=str(entry.acting.reason),
        before=canonical.plain(entry.before),
        after=canonical.plain(entry.after),
        snapshots=seals,
        related=list(dict.fromkeys(entry.related)),
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


def _seals(entries: list[Entry]) -> list[list[dict[str, str]]]:
    """Return the seals of each entry's snapshots, made from what the database holds.

    A value in memory may differ from what is read back (a rounded number, a default of the
    database); sealing that would look like tampering.
    """
    wanted: dict[str, set[UUID]] = {}
    for entry in entries:
        for snapshot in entry.snapshots:
            wanted.setdefault(snapshot._meta.label_lower, set()).add(snapshot.pk)
    stored = {table: _in_bulk(table, ids) for table, ids in wanted.items()}
    return [
        [
            _seal(stored[one._meta.label_lower][one.pk])
            for one in entry.snapshots
            if one.pk in stored[one._meta.label_lower]  # else its savepoint was rolled back
        ]
        for entry in entries
    ]


def _in_bulk(table: str, ids: Collection[UUID]) -> dict[UUID, models.Model]:
    found: dict[UUID, models.Model] = apps.get_model(table)._default_manager.in_bulk(list(ids))
    return found


def _seal(snapshot: models.Model) -> dict[str, str]:
    return {
        "table": snapshot._meta.label_lower,
        "id": str(snapshot.pk),
        "sha256": digest_of(snapshot),
    }


def digest_of(snapshot: models.Model, *, without: Collection[str] = ()) -> str:
    """Return SHA-256 (hex) over every column of a historical row that is not NULL.

    `without` names columns that did not exist yet when the row was sealed.
    """
    columns = {
        f.attname: getattr(snapshot, f.attname)
        for f in snapshot._meta.concrete_fields
        if f.attname not in without
    }
    held = {name: value for name, value in columns.items() if value is not None}
    return hashlib.sha256(canonical.encode(held)).hexdigest()


def version() -> int:
    """Return the governance version: the number of the last entry."""
    return LedgerHead.objects.values_list("number", flat=True).first() or 0
