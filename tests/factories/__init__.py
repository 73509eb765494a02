"""Things to test with: `make_*` functions with sensible defaults, keyword-only.

`catalog.py`, `governance.py` and `delivery.py` make the things of that app.
"""

from tests.factories.catalog import (
    PASSWORD,
    SAMPLE,
    SCHEMA,
    find_permission,
    give_permission,
    make_admin,
    make_application,
    make_domain,
    make_event_type,
    make_person,
    make_region,
    make_team,
    make_topic,
    make_uuid,
    make_version,
)
from tests.factories.delivery import (
    make_adapter,
    make_delivery,
    make_event,
    make_failure_group,
    make_letter,
    make_replay,
    make_rule,
    make_runbook,
    make_subscription,
    make_translation,
)
from tests.factories.governance import (
    make_access_request,
    make_change_request,
    make_grant,
    make_key,
)
from tests.factories.numbering import number

__all__ = [
    "PASSWORD",
    "SAMPLE",
    "SCHEMA",
    "find_permission",
    "give_permission",
    "make_access_request",
    "make_adapter",
    "make_admin",
    "make_application",
    "make_change_request",
    "make_delivery",
    "make_domain",
    "make_event",
    "make_event_type",
    "make_failure_group",
    "make_grant",
    "make_key",
    "make_letter",
    "make_person",
    "make_region",
    "make_replay",
    "make_rule",
    "make_runbook",
    "make_subscription",
    "make_team",
    "make_topic",
    "make_translation",
    "make_uuid",
    "make_version",
    "number",
]
