"""What the doors of the machine API share: who asks, what for, and how lists and things answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import generics, mixins, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import User
from catalog.words import Environment
from governance import access
from governance.actions import Action

M = TypeVar("M", bound=Model)


class Instant(serializers.DateTimeField):
    """An instant in UTC, whatever zone its viewer likes to read."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class Nothing(serializers.Serializer[Any]):
    """No values: a door without parameters, a request without a body."""


class Asking(APIView):
    """A door that knows who asks, and reads parameters by `query_class`."""

    query_class: type[serializers.Serializer[Any]] = Nothing

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 for a name that no row can have: the database refuses NUL in texts."""
        super().initial(request, *args, **kwargs)
        if any("\x00" in value for value in kwargs.values() if isinstance(value, str)):
            raise Http404

    @property
    def person(self) -> User:
        """Return who asks: a person, or an application's service account."""
        return cast(User, self.request.user)

    @property
    def asked(self) -> Mapping[str, Any]:
        """Return the parameters that were given; raises ValidationError by name."""
        return read(self.query_class, self.request.query_params)

    @property
    def key_environment(self) -> str | None:
        """Return the environment that an API key is bound to; None for people."""
        return getattr(self.request.auth, "environment", None)

    def environment(self, wanted: str = "") -> str:
        """Return the environment to act in: the key's own, else the one asked for, or production.

        Raises ValidationError when a key asks for the other one.
        """
        own = self.key_environment
        if own is not None and wanted and wanted != own:
            raise ValidationError(
                {"environment": _("This key is for %(environment)s.") % {"environment": own}}
            )
        return own or wanted or Environment.PRODUCTION.value


class Door(Asking, generics.GenericAPIView[M]):
    """A door to rows of one model: those with which the person may do `sees`."""

    sees: Action

    def get_queryset(self) -> QuerySet[M]:
        """Return what there is for whoever asks; the rest is as if it did not exist."""
        return self.narrowed(access.restrict(super().get_queryset(), self.person, self.sees))

    def narrowed(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Return which of the rows are asked for."""
        return rows

    def told(self, rows: Sequence[M]) -> Sequence[object]:
        """Return what the shape reads of the rows, where a door says more than a row knows."""
        return rows

    def tell(self, row: M, *, status: int = 200) -> Response:
        """Answer with one row."""
        return Response(self.get_serializer(self.told([row])[0]).data, status=status)


class EnvironmentDoor(Door[M]):
    """A door to rows that stand in an environment: a key sees those of its own."""

    def narrowed(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Keep those of the key's environment."""
        own = self.key_environment
        return rows.filter(environment=own) if own else rows


class ListDoor(mixins.ListModelMixin, Door[M]):
    """A list, paged by cursor."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what there is for whoever asks."""
        page = self.paginate_queryset(self.get_queryset())
        told = self.told(list(page or ()))
        return self.get_paginated_response(self.get_serializer(told, many=True).data)


class OneDoor(mixins.RetrieveModelMixin, Door[M]):
    """One thing by its name or id; what may not be seen is 404."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show one."""
        return self.tell(self.get_object())


class Unknown(APIView):
    """An address under /api that leads nowhere, answered in the words of the API."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404, whatever the method."""
        raise Http404


def read(shape: type[serializers.Serializer[Any]], given: Any) -> dict[str, Any]:
    """Return the values that a shape takes from parameters or a body, by its names.

    Raises the framework's ValidationError with a pointer for each fault.
    """
    taken = shape(data=given)
    taken.is_valid(raise_exception=True)
    return dict(taken.validated_data)


def one_of(rows: QuerySet[M], otherwise: str, **named: object) -> M:
    """Return the row of that name; without one, 404 with a sentence."""
    found = rows.filter(**named).first()
    if found is None:
        raise NotFound(otherwise)
    return found


@contextmanager
def pointing(names: Mapping[str, str], *, under: str = "") -> Iterator[None]:
    """Say a verb's faults at the members of the request: `names` maps a verb's field to a member.

    `under` is the member that holds all fields without a name here.
    """
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        raise ValidationError(
            {
                names.get(name, f"{under}/{name}" if under else name): told
                for name, told in error.message_dict.items()
            }
        ) from error
