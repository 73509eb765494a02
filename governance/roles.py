"""Who may do what: one rule for each action, and the permissions of the four roles.

Read a rule so: whoever holds the permission `may` (a role gives it) may do it with everything that
they can see; each of `sides` may do it with their own, a side in `with_permission` only if they
hold that permission too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from governance.actions import Action

CITIZEN = "role:Citizen developers"
REVIEWER = "role:Reviewers"
ADMIN = "role:Admins"
SUPPORT = "role:Support"
ROLES = (CITIZEN, REVIEWER, ADMIN, SUPPORT)
STAFF = frozenset({ADMIN, SUPPORT})  # may enter the Django admin

SEE_RESTRICTED = "catalog.view_restricted_topic"
REVIEW = "governance.review_changerequest"


class Side(StrEnum):
    """How someone can stand to a thing."""

    OWNER = "owner"  # on the team that owns it; for a service account: its own application's
    TOPIC_OWNER = "topic owner"  # on the team that owns its topic
    CONCERNED = "concerned"  # on a team that it was meant for, sent or not
    RECEIVER = "receiver"  # on a team to which it was sent, or is owed
    SENDER = "sender"  # on the team whose application published it
    AUTHOR = "author"  # made it
    ANYONE = "anyone"  # can see it


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Who may; see the module. `not_own`: never with what one made oneself (four eyes)."""

    may: str = ""
    sides: frozenset[Side] = frozenset()
    with_permission: Mapping[Side, str] | None = None
    not_own: bool = False


def _rule(may: str = "", *sides: Side, not_own: bool = False) -> Rule:
    return Rule(may=may, sides=frozenset(sides), not_own=not_own)


# Deciding about access to a topic: admins, and reviewers of the owning team.
_REVIEWER_OF_OWNER = {Side.TOPIC_OWNER: REVIEW}
OWNER, TOPIC_OWNER, CONCERNED, RECEIVER, SENDER, AUTHOR, ANYONE = Side

RULES: Mapping[Action, Rule] = {
    Action.DOMAIN_CREATE: _rule("catalog.add_domain"),
    Action.DOMAIN_CHANGE: _rule("catalog.change_domain", OWNER),
    Action.TOPIC_VIEW: _rule("", ANYONE),
    Action.TOPIC_CREATE: _rule("catalog.add_topic", OWNER),  # of the domain
    Action.TOPIC_CHANGE: _rule("catalog.change_topic", OWNER),
    # Grants decide these two; see `access.restrict`.
    Action.TOPIC_PUBLISH: _rule(),
    Action.TOPIC_SUBSCRIBE: _rule(),
    Action.EVENT_TYPE_VIEW: _rule("", ANYONE),
    Action.EVENT_TYPE_CREATE: _rule("catalog.add_eventtype", OWNER),  # of the topic
    Action.EVENT_TYPE_CHANGE: _rule("catalog.change_eventtype", OWNER),
    Action.VERSION_APPLY: _rule("catalog.add_schemaversion"),
    Action.VERSION_PROMOTE: _rule("catalog.change_release"),
    Action.VERSION_DEPRECATE: _rule("catalog.change_release"),
    Action.VERSION_RETIRE: _rule("catalog.change_release"),
    Action.TRANSLATION_APPLY: _rule("catalog.add_schemaversion"),  # of the event type
    Action.APPLICATION_VIEW: _rule("catalog.view_application", OWNER, ANYONE),
    Action.APPLICATION_REGISTER: _rule("catalog.add_application", OWNER),  # the team's members
    Action.APPLICATION_CHANGE: _rule("catalog.change_application", OWNER),
    Action.APPLICATION_DEPLOY: _rule("catalog.change_application", OWNER),
    Action.KEY_VIEW: _rule("governance.view_apikey", OWNER),
    Action.KEY_CREATE: _rule("governance.add_apikey", OWNER),  # of the application
    Action.KEY_REVOKE: _rule("governance.change_apikey", OWNER),
    Action.HOUSE_RULE_CHANGE: _rule("catalog.change_ruleweight"),
    Action.TEAM_CHANGE: _rule("catalog.change_team"),
    Action.ROLE_CHANGE: _rule("auth.change_group"),
    Action.USER_CHANGE: _rule("catalog.change_user"),
    Action.GRANT_VIEW: _rule("governance.view_grant", OWNER, TOPIC_OWNER),
    Action.GRANT_GIVE: Rule(may="governance.add_grant", with_permission=_REVIEWER_OF_OWNER),
    Action.GRANT_REVOKE: Rule(may="governance.change_grant", with_permission=_REVIEWER_OF_OWNER),
    Action.GRANT_EXPIRE: _rule(),  # time does it, nobody
    Action.ACCESS_REQUEST_VIEW: _rule("governance.view_accessrequest", OWNER, TOPIC_OWNER, AUTHOR),
    Action.ACCESS_REQUEST_MAKE: _rule("governance.add_accessrequest", OWNER),  # of the grantee
    Action.ACCESS_REQUEST_DECIDE: Rule(
        may="governance.change_accessrequest", with_permission=_REVIEWER_OF_OWNER, not_own=True
    ),
    Action.ACCESS_REQUEST_WITHDRAW: _rule("", OWNER, AUTHOR),
    Action.CHANGE_VIEW: _rule("governance.change_changerequest", TOPIC_OWNER, AUTHOR, ANYONE),
    Action.CHANGE_PROPOSE: _rule("governance.propose_changerequest", OWNER),  # of the topic
    Action.CHANGE_EDIT: _rule("", AUTHOR),
    Action.CHANGE_OPEN: _rule("", AUTHOR),
    Action.CHANGE_REVIEW: _rule(REVIEW),
    Action.CHANGE_APPROVE: _rule(REVIEW, not_own=True),
    Action.CHANGE_REJECT: _rule(REVIEW, not_own=True),
    Action.CHANGE_SEND_BACK: _rule(REVIEW, not_own=True),
    Action.CHANGE_WITHDRAW: _rule("governance.change_changerequest", AUTHOR),
    Action.CHANGE_APPLY: _rule("governance.apply_changerequest"),
    Action.CHANGE_EMERGENCY: _rule("governance.emergency_changerequest"),
    Action.CHANGE_COMMENT: _rule("governance.change_changerequest", TOPIC_OWNER, AUTHOR, ANYONE),
    Action.CHANGE_SIGN_OFF: _rule("", OWNER),  # of the application that the change breaks
    Action.LEDGER_VIEW: _rule("governance.view_ledgerentry"),  # others see their teams' entries
    Action.SUBSCRIPTION_VIEW: _rule("delivery.view_subscription", OWNER, TOPIC_OWNER),
    Action.SUBSCRIPTION_CREATE: _rule("delivery.add_subscription", OWNER),  # of the application
    Action.SUBSCRIPTION_CHANGE: _rule("delivery.change_subscription", OWNER),
    Action.SUBSCRIPTION_PAUSE: _rule("delivery.operate_subscription", OWNER),
    Action.SUBSCRIPTION_RESUME: _rule("delivery.operate_subscription", OWNER),
    Action.SUBSCRIPTION_DISABLE: _rule("delivery.operate_subscription", OWNER),
    Action.SUBSCRIPTION_TEST: _rule("delivery.operate_subscription", OWNER),
    Action.SUBSCRIPTION_END: _rule("delivery.delete_subscription", OWNER),
    Action.ENDPOINT_CHANGE: _rule("delivery.change_endpoint", OWNER),
    Action.SECRET_VIEW: _rule("delivery.view_secret", OWNER),
    Action.SECRET_ROTATE: _rule("delivery.change_endpointsecret", OWNER),
    Action.ROUTING_RULE_VIEW: _rule("delivery.view_routingrule", TOPIC_OWNER),
    Action.ROUTING_RULE_CHANGE: _rule("delivery.change_routingrule"),  # of the topic, when applied
    Action.ADAPTER_VIEW: _rule("delivery.view_adapter", OWNER),
    Action.ADAPTER_CREATE: _rule("delivery.add_adapter", OWNER),  # of the application
    Action.ADAPTER_CHANGE: _rule("delivery.change_adapter", OWNER),
    Action.EVENT_VIEW: _rule("delivery.view_event", OWNER, TOPIC_OWNER, CONCERNED),
    Action.PAYLOAD_VIEW: _rule("delivery.view_payload", OWNER, TOPIC_OWNER, RECEIVER),
    Action.SENSITIVE_VIEW: _rule("delivery.view_sensitive", OWNER, TOPIC_OWNER, RECEIVER),
    Action.PAYLOAD_EXPUNGE: _rule("delivery.expunge_payload"),
    Action.EVENT_CORRECT: _rule("delivery.correct_event", OWNER),
    Action.EVENT_COPY: _rule("delivery.copy_event", OWNER),
    Action.DELIVERY_VIEW: _rule("delivery.view_delivery", OWNER),
    Action.DELIVERY_TRACE: _rule("delivery.view_delivery", OWNER, SENDER),
    Action.DELIVERY_REPLAY: _rule("delivery.replay_delivery", OWNER),
    Action.DELIVERY_DISCARD: _rule("delivery.discard_delivery", OWNER),
    Action.REPLAY_VIEW: _rule("delivery.view_replay", OWNER, AUTHOR),
    Action.REPLAY_MANY: _rule("delivery.replay_many"),
    Action.REPLAY_CANCEL: _rule("delivery.change_replay", AUTHOR),
    Action.FAILURE_VIEW: _rule("delivery.view_failuregroup", OWNER),
    Action.FAILURE_HANDLE: _rule("delivery.handle_failuregroup", OWNER),
    Action.RUNBOOK_VIEW: _rule("delivery.view_runbook", OWNER, TOPIC_OWNER),
    Action.RUNBOOK_CHANGE: _rule("delivery.change_runbook", OWNER, TOPIC_OWNER),
    Action.TRAFFIC_VIEW: _rule("delivery.view_circuit", OWNER),
    Action.OPERATIONS_VIEW: _rule("delivery.view_circuit"),
}

# What a service account may ever do, and only with its own application's things. It never decides.
SERVICE_ACTIONS = frozenset(
    {
        Action.TOPIC_VIEW,
        Action.TOPIC_PUBLISH,
        Action.TOPIC_SUBSCRIBE,
        Action.EVENT_TYPE_VIEW,
        Action.APPLICATION_VIEW,
        Action.APPLICATION_DEPLOY,
        Action.GRANT_VIEW,
        Action.ACCESS_REQUEST_VIEW,
        Action.CHANGE_VIEW,
        Action.CHANGE_PROPOSE,
        Action.CHANGE_EDIT,
        Action.CHANGE_OPEN,
        Action.CHANGE_WITHDRAW,
        Action.CHANGE_COMMENT,
        Action.SUBSCRIPTION_VIEW,
        Action.SUBSCRIPTION_CREATE,
        Action.SUBSCRIPTION_CHANGE,
        Action.SUBSCRIPTION_PAUSE,
        Action.SUBSCRIPTION_RESUME,
        Action.SUBSCRIPTION_TEST,
        Action.SUBSCRIPTION_END,
        Action.ENDPOINT_CHANGE,
        Action.SECRET_ROTATE,
        Action.EVENT_VIEW,
        Action.PAYLOAD_VIEW,
        Action.SENSITIVE_VIEW,
        Action.DELIVERY_VIEW,
        Action.DELIVERY_TRACE,
        Action.DELIVERY_REPLAY,
        Action.REPLAY_VIEW,
        Action.REPLAY_CANCEL,
        Action.FAILURE_VIEW,
    }
)

_C, _R, _A, _S = ((role,) for role in ROLES)

# Which roles hold which permission; `receivers.ensure_roles` gives them after each migration.
HOLDERS: Mapping[str, tuple[str, ...]] = {
    SEE_RESTRICTED: _R + _A + _S,
    "catalog.add_domain": _A,
    "catalog.change_domain": _A,
    "catalog.add_topic": _A,
    "catalog.change_topic": _A,
    "catalog.add_eventtype": _R + _A,
    "catalog.change_eventtype": _R + _A,
    "catalog.add_schemaversion": _R + _A,
    "catalog.change_release": _R + _A,
    "catalog.view_application": _R + _A + _S,
    "catalog.add_application": _A,
    "catalog.change_application": _A,
    "catalog.change_ruleweight": _A,
    "catalog.change_team": _A,
    "catalog.change_user": _A,
    "auth.change_group": _A,
    "governance.view_apikey": _A + _S,
    "governance.add_apikey": _A,
    "governance.change_apikey": _A,
    "governance.view_grant": _R + _A + _S,
    "governance.add_grant": _A,
    "governance.change_grant": _A,
    "governance.view_accessrequest": _R + _A + _S,
    "governance.add_accessrequest": _A,
    "governance.change_accessrequest": _A,
    "governance.propose_changerequest": _C + _R + _A,
    "governance.change_changerequest": _A,
    REVIEW: _R + _A,
    "governance.apply_changerequest": _R + _A,
    "governance.emergency_changerequest": _A,
    "governance.view_ledgerentry": _R + _A + _S,
    "delivery.view_subscription": _R + _A + _S,
    "delivery.add_subscription": _A,
    "delivery.change_subscription": _A + _S,
    "delivery.operate_subscription": _A + _S,
    "delivery.delete_subscription": _A,
    "delivery.change_endpoint": _A + _S,
    "delivery.change_endpointsecret": _A + _S,
    "delivery.view_secret": _A,
    "delivery.view_routingrule": _R + _A + _S,
    "delivery.change_routingrule": _R + _A,
    "delivery.view_adapter": _A + _S,
    "delivery.add_adapter": _A,
    "delivery.change_adapter": _A,
    "delivery.view_event": _R + _A + _S,
    "delivery.view_payload": _R + _A + _S,
    "delivery.view_sensitive": _A,
    "delivery.expunge_payload": _A,
    "delivery.correct_event": _A + _S,
    "delivery.copy_event": _A + _S,
    "delivery.view_delivery": _A + _S,
    "delivery.replay_delivery": _A + _S,
    "delivery.replay_many": _A,
    "delivery.discard_delivery": _A + _S,
    "delivery.view_replay": _A + _S,
    "delivery.change_replay": _A + _S,
    "delivery.view_failuregroup": _A + _S,
    "delivery.handle_failuregroup": _A + _S,
    "delivery.view_runbook": _R + _A + _S,
    "delivery.change_runbook": _A + _S,
    "delivery.view_circuit": _A + _S,
}
