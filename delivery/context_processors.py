"""What the frame around every page shows: where one may go, what waits there, who and which world.

An app fills a count by `register_count("failures", count, tone="bad")` when it is ready. A count is
asked for only when a page with the frame is rendered, once for each page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import User
from catalog.words import Environment
from governance import access
from governance.actions import Action

Count = Callable[[User, str], int]
Text = str | Promise

# Name of a count -> how to count for a person in an environment, and the tone of a count above 0.
_COUNTS: dict[str, tuple[Count, str]] = {}


def register_count(name: str, count: Count, *, tone: str = "") -> None:
    """Let `count(user, environment)` fill the count `name` of the frame; the last one wins."""
    _COUNTS[name] = (count, tone)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A place in the navigation; without an `action` it is for everyone who is signed in."""

    label: Text
    icon: str
    url_name: str
    action: Action | None = None
    count: str = ""


NAVIGATION: tuple[tuple[Text, tuple[Place, ...]], ...] = (
    ("", (Place(label=_("Home"), icon="home", url_name="delivery:home"),)),
    (
        _("Discover"),
        (
            Place(label=_("Catalog"), icon="book-open", url_name="catalog:event-type-list"),
            Place(label=_("Applications"), icon="squares-2x2", url_name="catalog:application-list"),
        ),
    ),
    (
        _("Govern"),
        (
            Place(
                label=_("Changes"),
                icon="arrows-right-left",
                url_name="governance:change-request-list",
                count="changes",
            ),
            Place(label=_("Access"), icon="key", url_name="governance:access", count="access"),
            Place(
                label=_("Ledger"),
                icon="shield-check",
                url_name="governance:ledger",
                action=Action.LEDGER_VIEW,
            ),
        ),
    ),
    (
        _("Run"),
        (
            Place(
                label=_("Failures"),
                icon="exclamation-triangle",
                url_name="delivery:failure-list",
                count="failures",
            ),
            Place(label=_("Subscriptions"), icon="signal", url_name="delivery:subscription-list"),
            Place(label=_("Events"), icon="queue-list", url_name="delivery:event-list"),
            Place(
                label=_("Routing rules"),
                icon="arrows-right-left",
                url_name="delivery:rule-list",
                action=Action.ROUTING_RULE_VIEW,
            ),
            Place(label=_("Replays"), icon="arrow-uturn-left", url_name="delivery:replay-list"),
            Place(
                label=_("Operations"),
                icon="chart-bar",
                url_name="delivery:operations",
                action=Action.OPERATIONS_VIEW,
            ),
        ),
    ),
)


def navigation(user: User | AnonymousUser) -> list[tuple[Text, list[Place]]]:
    """Return the groups of places that this person may use, without empty groups."""
    groups = [
        (title, [place for place in places if _may_use(user, place)])
        for title, places in NAVIGATION
    ]
    return [(title, places) for title, places in groups if places]


def _may_use(user: User | AnonymousUser, place: Place) -> bool:
    if not user.is_authenticated:
        return False
    return place.action is None or access.allows(user, place.action)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A place as the page draws it."""

    label: Text
    icon: str
    url: str
    is_current: bool
    count: int = 0
    tone: str = ""


class Frame:
    """The frame of one request; nothing is asked of the database until a template asks for it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def user(self) -> User | None:
        """The person who is signed in."""
        user = getattr(self._request, "user", None)
        return user if isinstance(user, User) and user.is_authenticated else None

    @property
    def layout(self) -> str:
        """The template that a page for strangers and members alike extends."""
        return "base.html" if self.user else "bare.html"

    @property
    def environment(self) -> str:
        """The environment that this page is about."""
        return getattr(self._request, "environment", Environment.PRODUCTION.value)

    @property
    def environments(self) -> list[tuple[str, str, bool]]:
        """Both environments as (value, word, is this one)."""
        return [(one, str(word), one == self.environment) for one, word in Environment.choices]

    @property
    def theme(self) -> str:
        """`light`, `dark`, or `system`."""
        return getattr(self._request, "theme", "system")

    @cached_property
    def roles(self) -> str:
        """The person's roles in words ("Support"), else their teams, else nothing."""
        if not self.user:
            return ""
        names = sorted(self.user.groups.values_list("name", flat=True))
        roles = [name.partition(":")[2] for name in names if name.startswith("role:")]
        teams = [name.partition(":")[2] for name in names if name.startswith("team:")]
        return ", ".join(role[:1].upper() + role[1:] for role in roles or teams)

    @cached_property
    def groups(self) -> list[tuple[Text, list[Link]]]:
        """The navigation: (title, links) with the current place marked."""
        if not self.user:
            return []
        groups = [(title, list(self._links(places))) for title, places in navigation(self.user)]
        return [(title, links) for title, links in groups if links]

    @property
    def home(self) -> str:
        """The URL of the home page."""
        return url_of("delivery:home") or "/"

    @cached_property
    def unread(self) -> int:
        """How many notifications this person has not read."""
        return self._count("notifications")[0]

    def _links(self, places: list[Place]) -> Iterator[Link]:
        for place in places:
            url = url_of(place.url_name)
            if not url:
                continue
            count, tone = self._count(place.count)
            yield Link(
                label=place.label,
                icon=place.icon,
                url=url,
                is_current=place.url_name == self._current,
                count=count,
                tone=tone,
            )

    def _count(self, name: str) -> tuple[int, str]:
        count, tone = _COUNTS.get(name, (None, ""))
        if count is None or not self.user:
            return 0, ""
        return count(self.user, self.environment), tone

    @cached_property
    def _current(self) -> str:
        """The place whose URL is the longest beginning of this page's path."""
        urls = {
            place.url_name: url_of(place.url_name) for _, places in NAVIGATION for place in places
        }
        path = self._request.path
        home = urls.get("delivery:home", "")
        fitting = [
            (len(url), name)
            for name, url in urls.items()
            if url and (path == url or (url != home and path.startswith(url.rstrip("/") + "/")))
        ]
        return max(fitting, default=(0, ""))[1]


def url_of(name: str) -> str:
    """Return a page's URL, or nothing while no page has this name."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Give templates the `frame`."""
    return {"frame": Frame(request)}
