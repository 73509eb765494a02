"""The catalog as files: the same bytes each time, nothing lost, and nothing past a review."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog import files
from catalog.files import Unreadable
from catalog.models import Application, Domain, EventType, SchemaVersion, Team, Topic, User
from config.demo import seed
from governance import access, catalog_files, imports, reviews, roles, verification
from governance.imports import Way
from governance.models import ChangeRequest
from governance.states import ChangeKind, ChangeState
from tests import factories
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db
NAME = "com.acme.sales.order.created"
PAGE = reverse("governance:catalog-files")
IMPORT = "/api/v1/catalog/import"


def everything() -> dict[str, bytes]:
    return files.write(
        event_types=EventType.objects.all(),
        topics=Topic.objects.all(),
        applications=Application.objects.all(),
    )


@pytest.fixture
def topic() -> Topic:
    factories.make_region()
    return factories.make_topic(
        "sales.orders", owner=factories.make_team("sales"), regions=["eu"], batch_times=["02:00"]
    )


@pytest.fixture
def event_type(topic: Topic) -> EventType:
    made = factories.make_event_type(NAME, topic=topic, tags=["shop", "yes"])
    factories.make_version(event_type=made, document='{ "type":"object",\n"x": 1.0 }')
    return made


@pytest.fixture
def admin() -> User:
    return factories.make_person("adam", role=roles.ADMIN)


@pytest.fixture
def alice(topic: Topic) -> User:
    return factories.make_person("alice", team=topic.owner)


def planned(changed: dict[str, bytes], by: User) -> list[imports.Step]:
    return imports.plan(files.read(changed), by=by, now=timezone.now())


def test_same_catalog_makes_the_same_bytes(event_type: EventType) -> None:
    first, again = files.pack(everything()), files.pack(everything())
    assert first == again
    assert files.unpack(first) == everything()
    held = everything()
    assert held[f"event-types/{NAME}/1.0.0.schema.json"] == b'{ "type":"object",\n"x": 1.0 }'
    assert b"topic: sales.orders" in held[f"event-types/{NAME}/event-type.yaml"]


def test_own_files_change_nothing(event_type: EventType, admin: User) -> None:
    factories.make_application(team=event_type.topic.owner)
    assert planned(everything(), admin) == []


def test_demo_catalog_goes_round_without_loss(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    seed.seed(receiver_url="http://93.184.215.14", data_dir=tmp_path / "data", now=timezone.now())
    held = everything()
    root = factories.make_person(is_superuser=True)
    assert planned(held, root) == []
    files.write_folder(tmp_path, held)
    (tmp_path / "topics" / "gone.yaml").write_text("title: x")
    (tmp_path / "README.md").write_text("Ours.")
    files.write_folder(tmp_path, held)
    assert files.read_folder(tmp_path) == held
    assert (tmp_path / "README.md").exists()


def test_hidden_topic_is_in_no_strangers_files(event_type: EventType) -> None:
    hidden = factories.make_topic("sales.secret", is_restricted=True)
    factories.make_version(event_type=factories.make_event_type("com.acme.a.b", topic=hidden))
    stranger = factories.make_person("charlie")
    held = catalog_files.of(stranger, now=timezone.now())
    assert not any("secret" in name or "com.acme.a.b" in name for name in held)
    archive = signed_in(stranger).get("/api/v1/catalog/export")
    assert b"sales.secret" not in archive.content
    assert files.unpack(archive.content) == held


def test_files_for_an_empty_catalog_come_in_by_review_until_nothing_is_left(
    event_type: EventType, admin: User
) -> None:
    """The catalog of another installation: renamed here, so that nothing of it exists yet."""
    factories.make_version("2.0.0", event_type=event_type, live_in=["staging"])
    wanted = {
        name.replace("sales", "shop"): content.replace(b"sales", b"shop").replace(b"Sales", b"Shop")
        for name, content in everything().items()
        if not name.startswith("applications/")
    }
    place = f"event-types/{NAME.replace('sales', 'shop')}/event-type.yaml"
    # As applying it leaves it: with a changelog, and waiting for production.
    head = b"2.0.0:\n    changes: %s\n    guarantee: at-least-once\n    releases:\n%s"
    said = wanted[place].replace(
        head % (b"''", b""),
        head % (b"The second.", b"      production:\n        state: staged\n"),
    )
    wanted[place] = said
    reviewers = [factories.make_person(role=roles.REVIEWER) for _ in range(2)]
    reviewers[0].groups.add(Team.objects.get(slug="sales").group)
    for _ in range(8):
        left = [step for step in planned(wanted, admin) if step.is_taken]
        if not left:
            break
        done = imports.carry_out(
            files.read(wanted), reason="We moved.", by=admin, now=timezone.now()
        )
        shop = Team.objects.get(slug="shop")
        reviewers[1].groups.add(shop.group)
        for change in done.changes:
            decided(change, reviewers)
    assert planned(wanted, admin) == []
    here = everything()
    assert {name: here[name] for name in wanted} == wanted
    assert verification.verify() is None


def decided(change: ChangeRequest, reviewers: list[User]) -> None:
    """Have a request approved by everybody, whatever the checks said, and applied."""
    from governance import checks  # noqa: PLC0415

    for reviewer in reviewers:
        change.refresh_from_db()
        if change.state == ChangeState.OPEN:
            names = [one.check_name for one in checks.to_accept(checks.latest(change))]
            reviews.approve(change, by=reviewer, note="Yes.", accepted=names, now=timezone.now())
    change.refresh_from_db()
    reviews.apply(change, by=reviewers[1], now=timezone.now())


def test_what_is_governed_becomes_a_change_request(event_type: EventType, alice: User) -> None:
    held = everything()
    place = f"event-types/{NAME}"
    held["topics/sales.orders.yaml"] = held["topics/sales.orders.yaml"].replace(
        b"criticality: normal", b"criticality: high"
    )
    held[f"{place}/event-type.yaml"] += b"  1.1.0: {changes: More.}\n"
    held[f"{place}/1.1.0.schema.json"] = json.dumps(factories.SCHEMA).encode()
    steps = planned(held, alice)
    assert [step.way for step in steps] == [Way.REVIEW, Way.REVIEW]
    done = imports.carry_out(files.read(held), reason="Why.", by=alice, now=timezone.now())
    assert {change.kind for change in done.changes} == {
        ChangeKind.TOPIC_POLICY,
        ChangeKind.SCHEMA_VERSION,
    }
    assert {change.state for change in done.changes} == {ChangeState.OPEN}
    event_type.topic.refresh_from_db()
    assert event_type.topic.criticality == "normal"
    assert SchemaVersion.objects.count() == 1
    again = planned(held, alice)
    assert [step.way for step in again] == [Way.NONE, Way.NONE]
    assert "It waits in CR-" in again[0].sentence


def test_versions_never_change_and_ends_are_asked_for(event_type: EventType, alice: User) -> None:
    held = everything()
    place = f"event-types/{NAME}"
    other = {**held, f"{place}/1.0.0.schema.json": b"{}"}
    (step,) = planned(other, alice)
    assert step.way is Way.NONE
    assert "a version never changes" in step.sentence
    said = held[f"{place}/event-type.yaml"]
    ends = said.replace(
        b"        state: live",
        b"        state: deprecated\n        sunset_at: '2099-01-01T00:00:00+00:00'",
        1,
    )
    (step,) = planned({**held, f"{place}/event-type.yaml": ends}, alice)
    assert (step.way, "ends in production" in step.sentence) == (Way.REVIEW, True)


def test_who_may_not_changes_nothing(event_type: EventType) -> None:
    stranger = factories.make_person("charlie", role=roles.SUPPORT)
    held = everything()
    held["teams/new.yaml"] = b"name: New\ndescription: ''\nemail: ''\n"
    held["domains/new.yaml"] = b"name: New\ndescription: ''\nowner: sales\n"
    assert [step.may for step in planned(held, stranger)] == [False, False]
    done = imports.carry_out(files.read(held), reason="x", by=stranger, now=timezone.now())
    assert not done.taken
    assert not Team.objects.filter(slug="new").exists()
    client = signed_in(stranger)
    assert client.post(PAGE, {"archive": _upload(held)}).status_code == 403
    assert must_sign_in(PAGE)


def test_import_is_whole_or_not_at_all(event_type: EventType, admin: User) -> None:
    held = everything()
    held["domains/new.yaml"] = b"name: New\ndescription: ''\nowner: sales\n"
    held["topics/new.yaml"] = b"title: New\ndomain: new\nowner: nobody\n"
    from django.core.exceptions import ValidationError  # noqa: PLC0415

    with pytest.raises(ValidationError, match="nobody"):
        imports.carry_out(files.read(held), reason="x", by=admin, now=timezone.now())
    assert not Domain.objects.filter(slug="new").exists()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("topics/a.yaml", b"title: [1"),
        ("topics/a.yaml", b"- 1"),
        ("topics/a.yaml", b"\xff"),
        ("topics/a.yaml", b"nonsense: 1"),
        ("topics/a.yaml", b"owner: 7"),
        ("topics/a.yaml", b"regions: eu"),
        ("topics/a.yaml", b"title: [a]"),
        ("topics/a.yaml", b"retention_days: many"),
        ("topics/a.yaml", b"criticality: enormous"),
        ("topics/a.yaml", b"title: &a x\ndescription: *a"),
        ("topics/a.yaml", b"[" * 3000),
        ("topics/a.txt", b""),
        ("topics/a/b.yaml", b"title: x"),
        ("event-types/com.a.b.c/1.0.0.schema.json", b"{}"),
        ("event-types/com.a.b.c/event-type.yaml", b"title: x\nversions: {1.0.0: {}}"),
        ("event-types/com.a.b.c/event-type.yaml", b"title: x\nversions: [1]"),
        (
            "event-types/com.acme.sales.order.created/event-type.yaml",
            b"versions: {1.0.0: {releases: {production: {state: odd}}}}",
        ),
        ("event-types/com.acme.sales.order.created/odd.json", b"{}"),
        ("regions.yaml", b"eu: 7"),
    ],
)
def test_files_that_cannot_be_read_are_named(
    event_type: EventType, admin: User, path: str, content: bytes
) -> None:
    held = {**everything(), path: content}
    with pytest.raises(Unreadable, match=r"."):
        planned(held, admin)
    client = signed_in(admin)
    answer = client.post(PAGE, {"archive": _upload(held)})
    assert (answer.status_code, "aria-invalid" in text_of(answer)) == (200, True)
    body = files.pack(held)
    told = client.post(f"{IMPORT}?dry_run=true", body, content_type="application/zip")
    assert (told.status_code, told["Content-Type"]) == (422, "application/problem+json")


def _archive(names: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        _archive({}),
        _archive({"../topics/a.yaml": b"x"}),
        _archive({"topics/../a.yaml": b"x", "teams/b.yaml": b""}),
        _archive({"topics/a.yaml": b"0" * 70_000_000}),
    ],
)
def test_what_is_no_archive_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        files.read(files.unpack(body))


def test_folder_around_an_archive_is_left_out(event_type: EventType) -> None:
    held = everything()
    around = {f"catalog-main/{name}": content for name, content in held.items()}
    assert files.unpack(_archive({**around, "catalog-main/README.md": b"x"})) == held


def _upload(held: dict[str, bytes]) -> SimpleUploadedFile:
    return SimpleUploadedFile("catalog.zip", files.pack(held), "application/zip")


def test_page_shows_what_would_change_and_brings_it_in(event_type: EventType, admin: User) -> None:
    client = signed_in(admin)
    held = everything()
    held["teams/new.yaml"] = b"name: Newcomers\ndescription: ''\nemail: ''\n"
    answer = client.post(PAGE, {"archive": _upload(held)})
    assert "A new team: Newcomers." in text_of(answer)
    assert not Team.objects.filter(slug="new").exists()
    carried = answer.context["reason"]["carried"].value()
    assert "Say" not in str(client.post(PAGE, {"carried": carried, "reason": ""}).context["reason"])
    assert not Team.objects.filter(slug="new").exists()
    assert client.post(PAGE, {"carried": carried, "reason": "We grow."}).status_code == 302
    assert Team.objects.get(slug="new").name == "Newcomers"
    for odd in ("", "nonsense", carried[:40]):
        assert client.post(PAGE, {"carried": odd, "reason": "x"}).status_code in (200, 302)


def test_api_says_and_does_the_same(event_type: EventType, admin: User) -> None:
    client = signed_in(admin)
    first = client.get("/api/v1/catalog/export")
    assert first["Content-Type"] == "application/zip"
    same = client.get("/api/v1/catalog/export", headers={"If-None-Match": first["ETag"]})
    assert same.status_code == 304
    held: dict[str, Any] = files.unpack(first.content)
    held["teams/new.yaml"] = b"name: New\n"
    body = files.pack(held)
    dry = client.post(f"{IMPORT}?dry_run=true", body, content_type="application/zip").json()
    assert [(one["subject"], one["way"], one["may"]) for one in dry["steps"]] == [
        ("new", "at_once", True)
    ]
    assert not Team.objects.filter(slug="new").exists()
    assert client.post(IMPORT, body, content_type="application/zip").status_code == 422
    done = client.post(f"{IMPORT}?reason=Grow", body, content_type="application/zip")
    assert done.status_code == 200
    assert Team.objects.filter(slug="new").exists()
    assert client.post(IMPORT, b"{}", content_type="application/json").status_code == 415
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    assert support.post(IMPORT, body, content_type="application/zip").status_code == 403
    assert Client().post(IMPORT, body, content_type="application/zip").status_code == 401


def test_commands_write_and_read_a_folder_and_an_archive(
    event_type: EventType, admin: User, tmp_path: Path
) -> None:
    folder, archive = tmp_path / "catalog", tmp_path / "catalog.zip"
    for target in (folder, archive):
        call_command("export_catalog", str(target), verbosity=0)
    assert files.read_folder(folder) == files.unpack(archive.read_bytes()) == everything()
    (folder / "teams" / "new.yaml").write_text("name: New\n")
    call_command("import_catalog", str(folder), by="adam", dry_run=True)
    assert not Team.objects.filter(slug="new").exists()
    call_command("import_catalog", str(folder), by="adam", reason="Grow.")
    assert Team.objects.filter(slug="new").exists()
    for options in ({"by": "nobody", "reason": "x"}, {"by": "adam"}):
        with pytest.raises(CommandError):
            call_command("import_catalog", str(folder), **options)
    with pytest.raises(CommandError):
        call_command("import_catalog", str(tmp_path / "gone"), by="adam", reason="x")


def test_people_who_may_propose_see_the_door(event_type: EventType, alice: User) -> None:
    assert access.allows(alice, "change:propose")
    assert "Bring files in" in text_of(signed_in(alice).get(PAGE))
    reader = factories.make_person(role=None)
    assert "Bring files in" not in text_of(signed_in(reader).get(PAGE))
