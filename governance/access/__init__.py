"""Every permission question, answered in one place; nothing else asks guardian or `has_perm`.

`allows`, `require`, `restrict` and `people_who_can` are for people and single questions;
`entitlements` answers many for applications. `put_in_force` and `take_out_of_force` keep guardian's
object permissions in step with grants.
"""

from governance.access.enforcement import put_in_force, take_out_of_force
from governance.access.entitlements import Entitlements, entitlements
from governance.access.people import people_who_can
from governance.access.questions import NotAllowed, allows, can, require, restrict

__all__ = [
    "Entitlements",
    "NotAllowed",
    "allows",
    "can",
    "entitlements",
    "people_who_can",
    "put_in_force",
    "require",
    "restrict",
    "take_out_of_force",
]
