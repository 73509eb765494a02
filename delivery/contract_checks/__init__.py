"""What only delivery knows of a proposed contract: real traffic, live readers, use of a version.

`register` adds it to `governance.checks` and `governance.contract_usage` when delivery is ready.
"""

from __future__ import annotations

from delivery.contract_checks import translation
from delivery.contract_checks.readers import check_impact, impacts, readers
from delivery.contract_checks.staging import check_staging
from delivery.contract_checks.traffic import check_traffic, recent_events
from delivery.contract_checks.translation_checks import check_conversion, check_fields
from delivery.contract_checks.usage import count_publishers, count_receivers
from governance import checks, contract_usage, reviews
from governance.checks import Weight
from governance.states import ChangeKind

__all__ = [
    "IMPACT",
    "STAGING",
    "TRAFFIC",
    "check_impact",
    "check_staging",
    "check_traffic",
    "count_publishers",
    "count_receivers",
    "impacts",
    "readers",
    "recent_events",
    "register",
]

CONTRACTS = (ChangeKind.SCHEMA_VERSION, ChangeKind.PROMOTION)
TRAFFIC = "traffic"
IMPACT = "impact"
STAGING = "staging"
CONVERSION = "conversion"
FIELDS = "fields_read"


def register() -> None:
    """Add what delivery knows to governance's registries."""
    checks.register(IMPACT, check_impact, kinds=(*CONTRACTS, ChangeKind.TRANSLATION), order=50)
    checks.register(TRAFFIC, check_traffic, kinds=CONTRACTS, weight=Weight.ACCEPTED, order=60)
    checks.register(STAGING, check_staging, kinds=(ChangeKind.PROMOTION,), order=70)
    checks.register(
        CONVERSION,
        check_conversion,
        kinds=(ChangeKind.TRANSLATION,),
        weight=Weight.ACCEPTED,
        order=30,
    )
    checks.register(FIELDS, check_fields, kinds=(ChangeKind.TRANSLATION,), order=40)
    reviews.APPLIERS[ChangeKind.TRANSLATION] = translation.apply
    for counter in (count_publishers, count_receivers):
        if counter not in contract_usage.COUNTERS:
            contract_usage.COUNTERS.append(counter)
