"""The transaction in which governed things change.

Entries are collected while it runs; the outermost one appends them as its last statements, under
one lock on the chain's head. Nothing touches another row after that: the head taken earlier lets
two verbs that meet deadlock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.db import models, transaction

from catalog import history
from catalog.models import User
from governance import ledger
from governance.actions import Action

_entries: ContextVar[list[ledger.Entry] | None] = ContextVar("entries", default=None)


@contextmanager
def governed(*, by: User | None, now: datetime, reason: str = "") -> Iterator[None]:
    """Run a verb: all of it happens and is in the ledger, or none of it.

    `by` is None for what Signalbox does by itself. Nested calls join the outermost transaction and
    keep their own author and reason for their own entries and snapshots.
    """
    who = history.Acting(actor=by, reason=reason, at=now)
    collected = _entries.get()
    if collected is not None:
        with _taken_back_on_failure(collected), transaction.atomic(), history.act(who):
            yield
            _attach(collected, who)
        return
    entries: list[ledger.Entry] = []
    token = _entries.set(entries)
    try:
        with transaction.atomic(), history.act(who):
            yield
            _attach(entries, who)
            ledger.append(entries)
    finally:
        _entries.reset(token)


def record(
    action: Action | str,
    subject: models.Model,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    related: tuple[models.Model, ...] = (),
) -> None:
    """Note what the running verb did, for the ledger.

    `before` and `after` hold changed values only: plain JSON values, instants or UUIDs; documents
    as SHA-256 of their bytes, never inline. `related` are the things whose owners may read it.
    Raises `history.NotGoverned` outside `governed`.
    """
    who = history.acting()
    entries = _entries.get()
    if who is None or entries is None:
        raise history.NotGoverned(
            f"{action} belongs inside governed(…), so that the ledger has it."
        )
    entries.append(
        ledger.Entry.of(
            action,
            subject,
            acting=who,
            before=before or {},
            after=after or {},
            related=related,
        )
    )


@contextmanager
def _taken_back_on_failure(entries: list[ledger.Entry]) -> Iterator[None]:
    """Forget what a nested verb noted when it fails: the outer one may catch that and go on."""
    length = len(entries)
    try:
        yield
    except BaseException:
        del entries[length:]
        raise


def _attach(entries: list[ledger.Entry], who: history.Acting) -> None:
    """Give each snapshot to the entry about its row, else to the author's last entry.

    A snapshot without any entry gets one of its own: no change escapes the chain.
    """
    own = [entry for entry in entries if entry.acting is who]
    for row in who.snapshots:
        subject_id = str(getattr(row, row.instance_type._meta.pk.attname))  # type: ignore[attr-defined]
        fitting = [e for e in own if e.subject_id == subject_id] or own
        if not fitting:
            fitting = [ledger.Entry.of_snapshot(row, acting=who)]
            entries += fitting
            own += fitting
        fitting[-1].snapshots.append(row)
    who.snapshots.clear()
