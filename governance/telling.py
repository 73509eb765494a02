"""What happened, in words: a ledger action such as `grant:revoke` as "Revoked a grant".

Every action is `thing:verb`, so the words of things and of verbs tell all of them, and a model
whose changes no verb named is told by its own name.
"""

from __future__ import annotations

from django.apps import apps
from django.utils.translation import gettext, gettext_lazy

from governance.actions import Action

_ = gettext_lazy

THINGS = {
    "access-request": _("a request for access"),
    "adapter": _("an adapter"),
    "application": _("an application"),
    "catalog": _("the catalog"),
    "change": _("a change"),
    "delivery": _("a delivery"),
    "domain": _("a domain"),
    "endpoint": _("an endpoint"),
    "event": _("an event"),
    "event-type": _("an event type"),
    "failure": _("a failure"),
    "grant": _("a grant"),
    "house-rule": _("a house rule"),
    "key": _("an API key"),
    "ledger": _("the ledger"),
    "notice": _("a notice"),
    "operations": _("the operations page"),
    "payload": _("a payload"),
    "refusal": _("a refusal"),
    "region": _("a region"),
    "replay": _("a replay"),
    "role": _("a role"),
    "routing-rule": _("a routing rule"),
    "runbook": _("a runbook"),
    "secret": _("a signing secret"),
    "sensitive": _("sensitive values"),
    "subscription": _("a subscription"),
    "team": _("a team"),
    "topic": _("a topic"),
    "traffic": _("traffic"),
    "translation": _("a translation"),
    "user": _("a person"),
    "version": _("a version"),
}

VERBS = {
    "apply": _("Applied"),
    "approve": _("Approved"),
    "assign": _("Assigned"),
    "cancel": _("Cancelled"),
    "change": _("Changed"),
    "comment": _("Commented on"),
    "copy": _("Copied"),
    "correct": _("Corrected"),
    "create": _("Created"),
    "decide": _("Decided on"),
    "delete": _("Removed"),
    "deploy": _("Deployed"),
    "deprecate": _("Deprecated"),
    "disable": _("Disabled"),
    "discard": _("Discarded"),
    "edit": _("Edited"),
    "emergency": _("Applied as an emergency"),
    "end": _("Ended"),
    "expire": _("Ended by its date:"),
    "expunge": _("Expunged"),
    "give": _("Gave"),
    "handle": _("Handled"),
    "hold": _("Held"),
    "ignore": _("Ignored"),
    "import": _("Imported"),
    "make": _("Made"),
    "many": _("Replayed many:"),
    "note": _("Noted on"),
    "open": _("Opened"),
    "park": _("Parked"),
    "pause": _("Paused"),
    "probe": _("Probed"),
    "promote": _("Promoted"),
    "propose": _("Proposed"),
    "publish": _("Published to"),
    "register": _("Registered"),
    "reject": _("Rejected"),
    "release": _("Released"),
    "reopen": _("Reopened"),
    "replay": _("Replayed"),
    "resolve": _("Resolved"),
    "restore": _("Put back into use"),
    "resume": _("Resumed"),
    "retire": _("Retired"),
    "review": _("Reviewed"),
    "revoke": _("Revoked"),
    "rotate": _("Rotated"),
    "send": _("Sent"),
    "send-back": _("Sent back"),
    "sign-off": _("Signed off"),
    "simulate": _("Simulated"),
    "start": _("Started"),
    "subscribe": _("Subscribed to"),
    "test": _("Tested"),
    "trace": _("Traced"),
    "view": _("Looked at"),
    "withdraw": _("Withdrew"),
    "write": _("Wrote"),
}


def told(action: str) -> str:
    """Return an action of the ledger as the start of a sentence, without who and which.

    An action of a model that has no words here is told by the model's name; an unknown one as it
    stands.
    """
    thing, _colon, verb = action.partition(":")
    happened = VERBS.get(verb)
    if happened is None:
        return action
    return gettext("%(happened)s %(thing)s") % {
        "happened": happened,
        "thing": THINGS.get(thing) or _name_of_model(thing),
    }


def actions_with(words: str) -> list[str]:
    """Return the actions whose telling has these words in it, in the reader's language."""
    wanted = words.casefold()
    return [action for action in Action if wanted in told(action).casefold()]


def _name_of_model(name: str) -> str:
    for app in ("catalog", "governance", "delivery"):
        models = apps.get_app_config(app).models
        if name in models:
            return str(models[name]._meta.verbose_name)
    return name.replace("-", " ").replace("_", " ")
