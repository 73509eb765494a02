"""A contract's way from a proposal to production."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from catalog.moves import IllegalMove
from governance import checks, house_rules, proposals, reviews, verification
from governance.models import LedgerEntry
from governance.states import ChangeState, Verdict
from tests.governance.changes.conftest import BASE, Scene, with_country, with_note

pytestmark = pytest.mark.django_db


def test_a_safe_change_goes_live_in_staging_and_then_in_production(scene: Scene) -> None:
    change = scene.opened(with_note())
    assert (change.state, change.verdict) == (ChangeState.OPEN, Verdict.COMPATIBLE)
    assert {row.check_name: row.outcome for row in checks.latest(change)} == {
        "well_formed": "passed",
        "house_rules": "advice",
        "data_protection": "advice",
        "compatibility": "passed",
        "version_number": "passed",
        "impact": "passed",
        "traffic": "passed",
    }

    change = reviews.approve(change, by=scene.reviewer, note="Reads well.", now=scene.now)
    assert change.state == ChangeState.APPROVED
    change = reviews.apply(change, by=scene.reviewer, now=scene.now)
    assert change.state == ChangeState.APPLIED

    version = scene.event_type.versions.get(version="1.1.0")
    assert releases(version) == {"staging": "live", "production": "staged"}
    assert version.changes

    promotion = reviews.open_(scene.promotion(version), by=scene.proposer, now=scene.now)
    assert releases(version) == {"staging": "live", "production": "staged"}
    promotion = reviews.approve(promotion, by=scene.owner, note="", now=scene.now, and_apply=True)
    assert promotion.state == ChangeState.APPLIED
    assert releases(version) == {"staging": "live", "production": "live"}
    assert releases(scene.base) == {"staging": "live", "production": "live"}
    assert verification.verify() is None


def releases(version: object) -> dict[str, str]:
    return dict(version.releases.values_list("environment", "state"))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ('{"type": "objekt"}', "/type"),
        ('{"properties": {"total": {"type": "money"}}}', "/properties/total/type"),
        ('{"properties": {"a": {"$ref": "https://example.com/a"}}}', "/properties/a/$ref"),
        ("{", ""),
    ],
)
def test_an_invalid_schema_is_refused_with_pointers(
    scene: Scene, document: str, pointer: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        scene.propose(document)
    assert [error.params["pointer"] for error in caught.value.error_list if error.params] == [
        pointer
    ]
    assert caught.value.messages


def test_an_example_that_breaks_its_own_contract_is_refused(scene: Scene) -> None:
    with pytest.raises(ValidationError) as caught:
        scene.propose(BASE, "1.0.1", example='{"order_id": 3, "amount": 1}')
    assert [error.params for error in caught.value.error_list] == [{"pointer": "/example/order_id"}]


def test_an_example_too_deep_to_read_is_refused_in_words(scene: Scene) -> None:
    with pytest.raises(ValidationError) as caught:
        scene.propose(BASE, "1.0.1", example="[" * 3000 + "]" * 3000)
    assert caught.value.messages == ["The example is nested too deeply to be read."]


def test_a_breaking_change_needs_a_new_major_version(scene: Scene) -> None:
    change = scene.opened(with_country(), "1.1.0")
    assert change.verdict == Verdict.INCOMPATIBLE
    with pytest.raises(ValidationError, match=r"new major version: 2\.0\.0"):
        reviews.approve(change, by=scene.owner, note="Fine.", now=scene.now)


def test_a_breaking_change_needs_two_approvals_one_by_the_owning_team(scene: Scene) -> None:
    other = scene.admin
    change = scene.opened(with_country(), "2.0.0")
    change = reviews.approve(change, by=scene.reviewer, note="Fine.", now=scene.now)
    assert change.state == ChangeState.OPEN
    change = reviews.approve(change, by=other, note="Fine.", now=scene.now)
    assert change.state == ChangeState.OPEN
    with pytest.raises(IllegalMove):
        reviews.apply(change, by=scene.reviewer, now=scene.now)
    change = reviews.approve(change, by=scene.owner, note="We agree.", now=scene.now)
    assert change.state == ChangeState.APPROVED
    change = reviews.apply(change, by=scene.reviewer, now=scene.now)
    assert releases(scene.event_type.versions.get(version="2.0.0"))["staging"] == "live"
    assert releases(scene.base) == {"staging": "live", "production": "live"}


def test_an_approval_is_void_once_the_proposal_changes(scene: Scene) -> None:
    change = scene.opened(with_country(), "2.0.0")
    seen = change.proposal_sha256
    reviews.approve(change, by=scene.owner, note="Fine.", now=scene.now)
    change = reviews.edit(
        change, proposal={"document": with_note()}, by=scene.proposer, now=scene.now
    )
    assert change.state == ChangeState.OPEN
    assert change.verdict == Verdict.COMPATIBLE
    assert not change.reviews.filter(voided_at__isnull=True).exists()
    assert reviews.draft_number(change) == 2
    with pytest.raises(IllegalMove, match="has changed"):
        reviews.approve(change, by=scene.reviewer, note="Fine.", now=scene.now, seen_sha256=seen)


def test_editing_what_is_approved_takes_it_back_into_review(scene: Scene) -> None:
    change = scene.opened(with_note())
    change = reviews.approve(change, by=scene.reviewer, note="", now=scene.now)
    change = reviews.edit(change, proposal={"changes": "A note."}, by=scene.proposer, now=scene.now)
    assert change.state == ChangeState.OPEN
    with pytest.raises(IllegalMove):
        reviews.apply(change, by=scene.reviewer, now=scene.now)


def test_what_is_sent_back_is_edited_and_opened_again(scene: Scene) -> None:
    change = scene.opened(with_note())
    with pytest.raises(ValidationError):
        reviews.send_back(change, by=scene.reviewer, note=" ", now=scene.now)
    change = reviews.send_back(change, by=scene.reviewer, note="Shorter?", now=scene.now)
    assert change.state == ChangeState.CHANGES_REQUESTED
    change = reviews.edit(change, proposal={"changes": "A note."}, by=scene.proposer, now=scene.now)
    assert change.state == ChangeState.CHANGES_REQUESTED
    change = reviews.open_(change, by=scene.proposer, now=scene.now)
    change = reviews.approve(change, by=scene.reviewer, note="", now=scene.now, and_apply=True)
    assert change.state == ChangeState.APPLIED


def test_documents_enter_the_ledger_as_digests(scene: Scene) -> None:
    scene.applied(with_note())
    version = scene.event_type.versions.get(version="1.1.0")
    entry = LedgerEntry.objects.get(action="version:apply")
    assert entry.after["document_sha256"] == proposals.digest(version.document)
    assert not [row for row in LedgerEntry.objects.all() if "Order number" in str(row.after)]


def test_without_a_number_the_one_that_fits_is_taken(scene: Scene) -> None:
    assert proposals.of(scene.propose(with_note(), "")).version == "1.1.0"  # type: ignore[attr-defined]
    assert proposals.of(scene.propose(with_country(), "")).version == "2.0.0"  # type: ignore[attr-defined]


def test_a_number_that_exists_is_refused(scene: Scene) -> None:
    with pytest.raises(ValidationError, match="exists already"):
        scene.propose(with_note(), "1.0.0")
    first, second = scene.opened(with_note()), scene.opened(with_note())
    reviews.approve(first, by=scene.reviewer, note="", now=scene.now, and_apply=True)
    reviews.approve(second, by=scene.owner, note="", now=scene.now)
    with pytest.raises(IllegalMove, match="exists already"):
        reviews.apply(second, by=scene.reviewer, now=scene.now)
    second.refresh_from_db()
    assert second.state == ChangeState.APPROVED


def test_a_house_rule_that_is_an_error_has_to_be_accepted_by_name(scene: Scene) -> None:
    house_rules.weigh({"field_has_meaning": "error"}, by=scene.admin, now=scene.now)
    change = scene.opened(with_note())
    with pytest.raises(ValidationError, match="house rule"):
        reviews.approve(change, by=scene.reviewer, note="", now=scene.now)
    change = reviews.approve(
        change, by=scene.reviewer, note="", now=scene.now, accepted=["house_rules"]
    )
    assert change.state == ChangeState.APPROVED
