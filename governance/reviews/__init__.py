"""Change requests from draft to applied: every verb that a person has on one.

Start reading at `proposing.py` (draft, edit, open, withdraw), then `deciding.py` (approve, send
back, reject, comment) and `applying.py` (what each kind of change does). The conditions are in
`governance.workflow`, what is proposed in `governance.proposals`.
"""

from governance.reviews.applying import APPLIERS, apply, emergency
from governance.reviews.deciding import approve, comment, reject, send_back
from governance.reviews.proposing import edit, open_, propose, recheck, withdraw
from governance.reviews.reading import draft_number, drafts, suggested_version
from governance.reviews.signing_off import (
    ASKED_IN,
    SignOff,
    sign_off,
    sign_offs,
    sign_offs_of,
    waiting_for,
)

__all__ = [
    "APPLIERS",
    "ASKED_IN",
    "SignOff",
    "apply",
    "approve",
    "comment",
    "draft_number",
    "drafts",
    "edit",
    "emergency",
    "open_",
    "propose",
    "recheck",
    "reject",
    "send_back",
    "sign_off",
    "sign_offs",
    "sign_offs_of",
    "suggested_version",
    "waiting_for",
    "withdraw",
]
