"""The ledger: every governed change, and the proof that none was altered."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Asking, ListDoor
from governance import access, verification
from governance.actions import Action
from governance.api.ledger_shapes import LedgerQuery, LedgerShape, Verification
from governance.models import LedgerEntry, LedgerHead

_COLUMNS = {
    "action": "action",
    "actor": "actor_id",
    "subject_type": "subject_type",
    "subject_id": "subject_id",
    "since": "at__gte",
    "until": "at__lt",
}


class Ledger(ListDoor[LedgerEntry]):
    """The entries that the person may see, newest first."""

    queryset = LedgerEntry.objects.all()
    serializer_class = LedgerShape
    query_class = LedgerQuery
    sees = Action.LEDGER_VIEW
    orders_by = "-number"

    def narrowed(self, rows: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
        """Keep what the parameters ask for."""
        asked = self.asked
        rows = rows.filter(**{_COLUMNS[name]: asked[name] for name in _COLUMNS if name in asked})
        if "about" in asked:
            rows = rows.filter(related__contains=[asked["about"]])
        if "search" in asked:
            words = asked["search"]
            rows = rows.filter(
                Q(actor_name__icontains=words)
                | Q(action__icontains=words)
                | Q(subject_label__icontains=words)
                | Q(reason__icontains=words)
            )
        return rows


class Verify(Asking):
    """Whether the chain holds."""

    @extend_schema(responses=Verification)
    def get(self, request: Request) -> Response:
        """Walk the whole chain and name the first entry where it does not hold."""
        access.require(self.person, Action.LEDGER_VIEW)
        fault = verification.verify()
        head = LedgerHead.objects.first() or LedgerHead()
        answer = {
            "valid": fault is None,
            "entries": head.number,
            "head_hash": head.hash,
            "first_bad": {"number": fault.number, "what": fault.what} if fault else None,
        }
        return Response(Verification(answer).data)
