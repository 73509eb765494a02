"""Where events go: the address, its signing secrets, and the credentials that it asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from catalog.models import Application
from delivery import sealing, signing
from delivery.models import Endpoint, EndpointSecret
from delivery.states import SignatureScheme
from delivery.transports import Auth, Basic, Bearer, ClientCredentials, headers

OVERLAP = timedelta(hours=24)  # how long the old secret stays valid (design, section 9)
MAX_OVERLAP = timedelta(days=7)
MOST_VALID = 2  # of a scheme: the newest, and the one before it while it is rotated out
_AUTH_KINDS: Mapping[str, type[Auth]] = {
    "basic": Basic,
    "bearer": Bearer,
    "client_credentials": ClientCredentials,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What a receiver asks for beside our signature; `client_pem` is certificate and key."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: Auth | None = None
    client_pem: str = field(default="", repr=False)


def make(
    application: Application,
    *,
    url: str,
    region_id: str,
    credentials: Credentials | None = None,
    custom_ca: str = "",
    now: datetime,
) -> tuple[Endpoint, str]:
    """Store an endpoint with its first signing secret; return both, the secret in plain."""
    endpoint = Endpoint.objects.create(
        application=application,
        url=url,
        region_id=region_id,
        sealed_auth=sealed(credentials),
        custom_ca=custom_ca,
        changed_at=now,
    )
    return endpoint, add_secret(endpoint, now=now)


def make_second(application: Application, *, url: str, region_id: str, now: datetime) -> Endpoint:
    """Store an address for when the first does not answer; the first's secrets sign for it."""
    return Endpoint.objects.create(
        application=application, url=url, region_id=region_id, changed_at=now
    )


def add_secret(endpoint: Endpoint, *, now: datetime) -> str:
    """Give the endpoint one more signing secret and return it in plain."""
    plain = signing.new_secret()
    EndpointSecret.objects.create(endpoint=endpoint, sealed=sealing.seal(plain), created_at=now)
    return plain


def rotate_secret(endpoint: Endpoint, *, overlap: timedelta, now: datetime) -> str:
    """Make a new signing secret; the one before it stays valid for `overlap`, older ones end.

    Raises ValidationError unless `overlap` is 0 to 7 days.
    """
    _end(endpoint, SignatureScheme.V1, overlap=overlap, now=now)
    return add_secret(endpoint, now=now)


def rotate_key_pair(endpoint: Endpoint, *, overlap: timedelta, now: datetime) -> str:
    """Sign with a new key pair beside the secret; return the public half.

    The pair before it stays valid for `overlap`. Raises ValidationError unless that is 0 to 7 days.
    """
    _end(endpoint, SignatureScheme.V1A, overlap=overlap, now=now)
    private, public = signing.new_key_pair()
    EndpointSecret.objects.create(
        endpoint=endpoint,
        sealed=sealing.seal(private),
        scheme=SignatureScheme.V1A,
        public_key=public,
        created_at=now,
    )
    return public


def end_key_pairs(endpoint: Endpoint, *, now: datetime) -> None:
    """Sign with the secret alone."""
    _end(endpoint, SignatureScheme.V1A, overlap=timedelta(0), now=now)


def public_keys(endpoint: Endpoint, *, now: datetime) -> list[str]:
    """Return the public halves of the pairs that sign at `now`, the newest first."""
    return [one.public_key for one in _signing(endpoint, SignatureScheme.V1A, now)]


def signing_secrets(endpoint: Endpoint, *, now: datetime) -> list[str]:
    """Return what signs at `now`, in plain: one or two secrets, then the key pairs if any.

    Of each the newest first.
    """
    found = [*_signing(endpoint, SignatureScheme.V1, now)]
    found += _signing(endpoint, SignatureScheme.V1A, now)
    return [sealing.unseal(secret.sealed) for secret in found]


def all_sealed(now: datetime) -> Mapping[UUID, Sequence[str]]:
    """Return what signs for each endpoint at `now`, sealed, in the order of `signing_secrets`."""
    found: dict[UUID, dict[str, list[str]]] = {}
    rows = EndpointSecret.objects.filter(_valid(now)).order_by("-created_at", "-id")
    for endpoint_id, scheme, sealed_text in rows.values_list("endpoint_id", "scheme", "sealed"):
        held = found.setdefault(endpoint_id, {}).setdefault(scheme, [])
        if len(held) < MOST_VALID:
            held.append(sealed_text)
    return {
        endpoint_id: [text for scheme in SignatureScheme.values for text in held.get(scheme, ())]
        for endpoint_id, held in found.items()
    }


def _end(endpoint: Endpoint, scheme: str, *, overlap: timedelta, now: datetime) -> None:
    """Let the newest of a scheme end after `overlap`, and the older ones now."""
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValidationError({"overlap": _("The old secret may stay valid for 0 to 7 days.")})
    valid = EndpointSecret.objects.filter(_valid(now), endpoint=endpoint, scheme=scheme)
    locked = valid.select_for_update().order_by("-created_at", "-id")
    for index, secret in enumerate(locked):
        secret.expires_at = now + overlap if index == 0 else now
        secret.save(update_fields=["expires_at"])


def _signing(endpoint: Endpoint, scheme: str, now: datetime) -> QuerySet[EndpointSecret]:
    rows = EndpointSecret.objects.filter(_valid(now), endpoint=endpoint, scheme=scheme)
    return rows.order_by("-created_at", "-id")[:MOST_VALID]


def _valid(now: datetime) -> Q:
    return Q(expires_at__isnull=True) | Q(expires_at__gt=now)


def sealed(credentials: Credentials | None) -> str:
    """Return what `Endpoint.sealed_auth` stores; empty for no credentials.

    Raises ValidationError for headers that cannot be sent, or that are ours.
    """
    if credentials is None or credentials == Credentials():
        return ""
    faults = [headers.fault(name, value) for name, value in credentials.headers.items()]
    if len(faults) > headers.MAX_HEADERS:
        faults.append(_("Give at most %(most)s headers.") % {"most": headers.MAX_HEADERS})
    if any(faults):
        raise ValidationError({"credentials": [fault for fault in faults if fault]})
    kinds = {kind: name for name, kind in _AUTH_KINDS.items()}
    auth = credentials.auth
    document = {
        "headers": dict(credentials.headers),
        "auth": {"kind": kinds[type(auth)], **asdict(auth)} if auth else None,
        "client_pem": credentials.client_pem,
    }
    return sealing.seal(json.dumps(document))


def credentials_of(endpoint: Endpoint) -> Credentials:
    """Return the endpoint's credentials, unsealed."""
    if not endpoint.sealed_auth:
        return Credentials()
    document = json.loads(sealing.unseal(endpoint.sealed_auth))
    given = document["auth"] or {}
    kind = _AUTH_KINDS.get(given.pop("kind", ""))
    return Credentials(
        headers=document["headers"],
        auth=kind(**given) if kind else None,
        client_pem=document["client_pem"],
    )
