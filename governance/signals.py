"""What happened, one signal a fact, in the past tense, sent inside the transaction.

Each is sent with `sender=type(thing), thing=thing, by=User | None, now=datetime`. A receiver (in
the shell) writes rows in the same transaction; a signal never carries a decision.
"""

from __future__ import annotations

from django.dispatch import Signal

domain_created = Signal()
domain_changed = Signal()
topic_created = Signal()
topic_changed = Signal()
event_type_created = Signal()
event_type_changed = Signal()

application_registered = Signal()
application_changed = Signal()
key_created = Signal()
key_revoked = Signal()

house_rule_weighed = Signal()  # thing=RuleWeight

team_created = Signal()
team_changed = Signal()
person_changed = Signal()

grant_given = Signal()
grant_extended = Signal()
grant_revoked = Signal()
grant_expired = Signal()
grant_ending = Signal()  # with `days`: the reminder that is due, of `grants.REMIND_DAYS`
access_requested = Signal()
access_decided = Signal()
access_withdrawn = Signal()

change_opened = Signal()
change_decided = Signal()
change_applied = Signal()
change_withdrawn = Signal()
change_commented = Signal()
change_signed_off = Signal()  # thing=Review
version_released = Signal()
version_deprecated = Signal()
version_retired = Signal()
version_ending = Signal()  # thing=Release, with `days`: the reminder that is due
