"""Guardian's permission for each verb and environment on a topic."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.words import Environment
from governance.actions import Action
from governance.states import Verb

VIEW = "view_topic"
CODENAMES: Mapping[tuple[str, str], str] = {
    (Verb.PUBLISH, Environment.PRODUCTION): "publish_topic",
    (Verb.SUBSCRIBE, Environment.PRODUCTION): "subscribe_topic",
    (Verb.PUBLISH, Environment.STAGING): "publish_topic_staging",
    (Verb.SUBSCRIBE, Environment.STAGING): "subscribe_topic_staging",
}
VERB_OF: Mapping[Action, Verb] = {
    Action.TOPIC_PUBLISH: Verb.PUBLISH,
    Action.TOPIC_SUBSCRIBE: Verb.SUBSCRIBE,
}
