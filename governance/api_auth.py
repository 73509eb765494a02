"""How machines sign in: an API key as a bearer token or in X-API-Key."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.models import User
from governance import keys
from governance.models import ApiKey


class KeyAuthentication(BaseAuthentication):
    """Signs a request in as the application's service account; `request.auth` is the `ApiKey`.

    A request without a key is left to the next way of signing in; one with a key that opens nothing
    is refused with 401, whatever session it may have.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        plain_key = plain_key_of(
            request.headers.get("Authorization", ""), request.headers.get("X-API-Key", "")
        )
        if plain_key is None:
            return None
        now = timezone.now()
        key = keys.identify(plain_key, now)
        if key is None:
            raise AuthenticationFailed(_("This key is unknown, expired or revoked."))
        keys.note_use(key.pk, now)
        return key.application.service_account, key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401 (RFC 6750, section 3)."""
        return 'Bearer realm="signalbox"'


def plain_key_of(authorization: str, x_api_key: str) -> str | None:
    """Return the key that the headers carry; None when they carry none."""
    scheme, _space, token = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return x_api_key.strip() or None


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library has no types
    """Says in the OpenAPI document how a key is sent."""

    target_class = KeyAuthentication
    name = ["apiKey", "apiKeyHeader"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        """Return the OpenAPI security schemes."""
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key, sbx_…"},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[str]]]:
        """Say that either of them is enough."""
        return [{name: []} for name in self.name]
