"""How long rows are kept is changed in the admin: by a meta-user, with a reason, within what makes sense."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from contracts.actor import Role
from sensor.models import RetentionPolicy
from sensor.services.retention_policy import retention_current
from tests.access.people import client_of, person

pytestmark = pytest.mark.django_db
FORM = {"production_months": "6", "evidence_months": "", "automatic": "on", "reason": "half a year will do"}


def page() -> str:
    return reverse("admin:sensor_retentionpolicy_change", args=[retention_current().pk])


@pytest.fixture
def meta_user(db: None) -> Client:
    return client_of(person("alice", Role.META_USER))


def test_retention__before_anyone_changed_it__is_shown_as_for_ever(meta_user: Client) -> None:
    listing = meta_user.get(reverse("admin:sensor_retentionpolicy_changelist")).content.decode()

    assert listing.count("for ever") == 2
    form = meta_user.get(page()).content.decode()
    assert "manage.py sense --retention" in form
    assert "every decision stays explainable" in form


def test_retention__changed_with_a_reason__is_stored_and_audited(meta_user: Client) -> None:
    assert meta_user.post(page(), FORM).status_code == 302

    policy = RetentionPolicy.objects.get()
    assert (policy.production_months, policy.evidence_months, policy.automatic) == (6, None, True)
    entry = AuditEntry.objects.get(action="retention.changed")
    assert (entry.actor, entry.reason) == ("alice", "half a year will do")
    assert "6 months" in meta_user.get(reverse("admin:sensor_retentionpolicy_changelist")).content.decode()


@pytest.mark.parametrize(("changes", "field"), [
    ({"reason": ""}, "reason"),
    ({"production_months": "1"}, "production_months"),
    ({"evidence_months": "3"}, "evidence_months"),
    ({"production_months": "", "evidence_months": "9"}, "evidence_months"),
])  # fmt: skip
def test_retention__that_makes_no_sense__is_refused_on_the_form(
    changes: dict[str, Any], field: str, meta_user: Client
) -> None:
    response = meta_user.post(page(), FORM | changes)

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert RetentionPolicy.objects.get().production_months is None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_retention__for_lower_roles__is_shown_and_not_changed(role: Role) -> None:
    client = client_of(person("bob", role))

    assert client.get(page()).status_code == 200
    assert client.post(page(), FORM).status_code == 403
    assert RetentionPolicy.objects.get().production_months is None
