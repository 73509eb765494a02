"""A proposed conversion on recorded events, as far as the reviewer may see their payloads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from catalog import referring, schemas
from catalog.models import User
from delivery.contract_checks.translation import Trial, source_of, translation_of, trials
from delivery.models import Event
from delivery.translating import Translation, TranslationFailed
from governance import access
from governance.actions import Action
from governance.models import ChangeRequest

LATEST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """Data before and after; `event` is None for the contract's sample, `failure` says why not."""

    before: object
    after: object = None
    event: Event | None = None
    failure: str = ""
    is_masked: bool = False


def shown(change: ChangeRequest, *, viewer: User) -> Sequence[Shown]:
    """Return the latest events of the source version converted; else the contract's sample.

    Who may not see sensitive fields sees the masked event converted: what the conversion moves
    stays masked. Without a permission for payloads there is the sample alone.
    """
    translation = translation_of(change)
    if translation is None:
        return []
    found = [
        _masked(one, translation, viewer)
        for one in trials(change, limit=LATEST)
        if access.allows(viewer, Action.PAYLOAD_VIEW, one.event)
    ]
    return found or _of_sample(change, translation)


def _masked(trial: Trial, translation: Translation, viewer: User) -> Shown:
    event = trial.event
    if access.allows(viewer, Action.SENSITIVE_VIEW, event):
        return Shown(event=event, before=trial.before, after=trial.after, failure=trial.failure)
    before = schemas.mask(trial.before, event.version.document, resolve=referring.resolve)
    if before == trial.before:
        return Shown(event=event, before=before, after=trial.after, failure=trial.failure)
    after, failure = _converted(before, translation)
    # A masked value may not fit where the real one does; what the real event said counts.
    is_odd = bool(failure) and not trial.failure
    return Shown(
        event=event,
        before=before,
        after=None if is_odd else after,
        failure=trial.failure,
        is_masked=True,
    )


def _of_sample(change: ChangeRequest, translation: Translation) -> Sequence[Shown]:
    version = source_of(change)
    if version is None or not version.example:
        return []
    before = json.loads(version.example)
    after, failure = _converted(before, translation)
    return [Shown(before=before, after=after, failure=failure)]


def _converted(before: object, translation: Translation) -> tuple[object, str]:
    try:
        return translation.convert(before), ""
    except TranslationFailed as error:
        return None, str(error)
