"""Short names of the kinds of failure, for tables and legends where a sentence has no room."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from delivery.diagnosis.sentences import Text
from delivery.transports import ErrorClass

NAMES: Mapping[str, Text] = {
    ErrorClass.DNS: _("Name not found"),
    ErrorClass.REFUSED: _("Refused"),
    ErrorClass.UNREACHABLE: _("Unreachable"),
    ErrorClass.CONNECT_TIMEOUT: _("No connection in time"),
    ErrorClass.READ_TIMEOUT: _("No answer in time"),
    ErrorClass.TLS_EXPIRED: _("Certificate ended"),
    ErrorClass.TLS_NAME: _("Certificate of another name"),
    ErrorClass.TLS_UNTRUSTED: _("Certificate not trusted"),
    ErrorClass.TLS_OTHER: _("No encrypted connection"),
    ErrorClass.RESET: _("Connection broke off"),
    ErrorClass.BLOCKED_ADDRESS: _("Address not allowed"),
    ErrorClass.REDIRECT: _("Redirect"),
    ErrorClass.BODY_TOO_LARGE: _("Answer too large"),
    ErrorClass.PROTOCOL: _("Answer is not HTTP"),
    ErrorClass.BAD_URL: _("Address unusable"),
    ErrorClass.BAD_SETTINGS: _("Settings unusable"),
    ErrorClass.MAPPING: _("Mapping failed"),
    ErrorClass.TRANSLATION: _("Conversion failed"),
    ErrorClass.TOKEN: _("No access token"),
    ErrorClass.HTTP_STATUS: _("Error answer"),
    ErrorClass.PARTIAL: _("Refused within a batch"),
    ErrorClass.BATCH_ANSWER: _("Unreadable answer to a batch"),
    ErrorClass.INTERRUPTED: _("Worker stopped"),
}
