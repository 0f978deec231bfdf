"""What may be done in the admin goes through the services, and so into the change log."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from audit.models import AuditEntry
from contracts.actor import Role, component
from maas.access import as_service
from maas.models import SystemPrompt
from manager.models import Approval, Policy
from manager.services.policy import EDITABLE
from selflearn_site.access.models import ApiToken
from selflearn_site.access.services import token_actor
from tests.access.people import bearer, client_of, person
from tests.admin.world import World
from tests.tuner.factories import next_step
from tuner.selectors import active_version, is_frozen
from tuner.services import change_apply

SENT = {"_form_submitted": "True"}


def _order(world: World, what: str) -> str:
    return reverse(f"admin:manager_approval_{what}", args=[world.approval.pk])


def _status(world: World) -> str:
    return str(Approval.objects.get(pk=world.approval.pk).status)


def _actions() -> set[str]:
    return set(AuditEntry.objects.values_list("action", flat=True))


def test_approve__by_a_meta_user__applies_and_is_in_the_change_log(meta_user: Client, world: World) -> None:
    before = active_version().version
    page = meta_user.get(reverse("admin:manager_approval_change", args=[world.approval.pk]))
    assert _order(world, "approve").encode() in page.content
    response = meta_user.post(_order(world, "approve"), SENT | {"comment": "looks right"}, follow=True)
    assert response.status_code == 200
    assert _status(world) == "applied"
    assert active_version().version != before
    entry = AuditEntry.objects.get(action="approval.approved")
    assert (entry.actor_kind, entry.actor, entry.reason) == ("person", "alice", "looks right")
    assert {"approval.applied", "parameters.activated"} <= _actions()


def test_reject__without_a_reason__asks_for_it_and_changes_nothing(meta_user: Client, world: World) -> None:
    response = meta_user.post(_order(world, "reject"), SENT | {"comment": ""})
    assert response.status_code == 200
    assert _status(world) == "pending"


def test_reject__with_a_reason__is_in_the_change_log(meta_user: Client, world: World) -> None:
    response = meta_user.post(_order(world, "reject"), SENT | {"comment": "too dear"}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert response.headers["HX-Redirect"] == reverse("admin:manager_approval_changelist")
    assert _status(world) == "rejected"
    assert AuditEntry.objects.get(action="approval.rejected").reason == "too dear"


def test_approve__of_a_change_whose_base_has_moved__queues_the_recheck(meta_user: Client, world: World) -> None:
    change_apply(proposal=next_step("context.max_tokens", 4400), actor=component("manager"))
    meta_user.post(_order(world, "approve"), SENT)
    assert _status(world) == "approved"
    assert [task.func() for task in OrmQ.objects.all()] == ["manager.tasks.approval_finish"]


def test_approve__twice__tells_the_second_that_it_is_decided(meta_user: Client, world: World) -> None:
    meta_user.post(_order(world, "approve"), SENT)
    response = meta_user.post(_order(world, "reject"), SENT | {"comment": "late"}, follow=True)
    assert b"applied already" in response.content
    assert _status(world) == "applied"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("what", ["approve", "reject"])
def test_decision__forged_by_a_lower_role__is_refused(role: Role, what: str, world: World) -> None:
    client = client_of(person("mallory", role))
    page = client.get(reverse("admin:manager_approval_change", args=[world.approval.pk]))
    assert _order(world, what).encode() not in page.content
    assert client.post(_order(world, what), SENT | {"comment": "mine"}).status_code == 403
    assert _status(world) == "pending"


def test_decision__without_csrf_token__is_refused(world: World) -> None:
    client = client_of(person("alice", Role.META_USER), csrf=True)
    assert client.post(_order(world, "approve"), SENT).status_code == 403
    assert _status(world) == "pending"


def test_policy__changed_with_a_reason__is_audited(meta_user: Client, world: World) -> None:
    policy = Policy.objects.get()
    kept = {name: getattr(policy, name) for name in EDITABLE}
    ticked = {name: value for name, value in kept.items() if value is not False}  # a box left empty sends nothing
    form = {**ticked, "golden_mode": "strict", "reason": "be careful"}
    response = meta_user.post(reverse("admin:manager_policy_change", args=[1]), form)
    assert response.status_code == 302
    assert Policy.objects.get().golden_mode == "strict"
    entry = AuditEntry.objects.get(action="policy.changed")
    assert (entry.reason, entry.after) == ("be careful", {"golden_mode": "strict"})


def test_policy__changed_without_a_reason__stays(meta_user: Client, world: World) -> None:
    response = meta_user.post(reverse("admin:manager_policy_change", args=[1]), {"golden_mode": "strict"})
    assert response.status_code == 200
    assert Policy.objects.get().golden_mode == "directional"


def test_prompt__new_version__is_added_audited_and_never_editable(meta_user: Client, world: World) -> None:
    form = {"role": "responder", "version": "v9", "description": "short", "template": "Answer in one word."}
    assert meta_user.post(reverse("admin:maas_systemprompt_add"), form).status_code == 302
    with as_service():
        prompt = SystemPrompt.objects.get(role="responder", version="v9")
    assert AuditEntry.objects.get(action="prompt.added").subject_id == "responder:v9"
    change = reverse("admin:maas_systemprompt_change", args=[prompt.pk])
    assert meta_user.post(change, form | {"template": "other"}).status_code == 403


def test_prompt__version_that_exists__is_refused_on_the_form(meta_user: Client, world: World) -> None:
    form = {"role": "responder", "version": "v1", "description": "", "template": "x"}
    response = meta_user.post(reverse("admin:maas_systemprompt_add"), form)
    assert response.status_code == 200


def test_prompt__withdrawn__is_no_longer_offered(meta_user: Client, world: World) -> None:
    with as_service():
        prompt = SystemPrompt.objects.get(role="responder", version="v3")
    meta_user.post(reverse("admin:maas_systemprompt_withdraw", args=[prompt.pk]), SENT)
    with as_service():
        assert not SystemPrompt.objects.get(pk=prompt.pk).is_active
    assert "prompt.withdrawn" in _actions()


def test_token__made_in_the_admin__is_shown_once_and_works(meta_user: Client) -> None:
    form = {"name": "front end", "role": "operator", "days": "30"}
    response = meta_user.post(reverse("admin:access_apitoken_add"), form)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    plain = response.content.decode().split('id="token"')[1].split(">")[1].split("<")[0].strip()
    actor = token_actor(plain)
    assert actor is not None
    assert actor.role == Role.OPERATOR
    token = ApiToken.objects.get()
    detail = meta_user.get(reverse("admin:access_apitoken_change", args=[token.pk])).content.decode()
    assert plain not in detail
    assert token.digest not in detail


def test_token__revoked_in_the_admin__is_refused_and_audited(meta_user: Client) -> None:
    bearer(Role.VIEWER)
    token = ApiToken.objects.get()
    meta_user.post(reverse("admin:access_apitoken_revoke", args=[token.pk]), SENT | {"reason": "lost"})
    assert ApiToken.objects.get().state == "revoked"
    assert AuditEntry.objects.get(action="token.revoked").reason == "lost"


def test_freeze__by_an_operator__holds_and_unfreezing_needs_a_meta_user(world: World) -> None:
    client = client_of(person("bob", Role.OPERATOR))
    client.post(reverse("admin:tuner_tunerstate_freeze", args=[1]), SENT | {"reason": "look first"})
    assert is_frozen()
    refused = client.post(reverse("admin:tuner_tunerstate_unfreeze", args=[1]), SENT | {"reason": "done"})
    assert refused.status_code == 403
    assert is_frozen()


def test_incident__resolved_in_the_admin__has_the_note_in_its_timeline(world: World) -> None:
    client = client_of(person("bob", Role.OPERATOR))
    client.post(reverse("admin:incidents_incident_resolve", args=[world.incident.pk]), SENT | {"note": "mended"})
    world.incident.refresh_from_db()
    assert world.incident.status == "resolved"
    assert world.incident.timeline[-1]["actor"] == "person:bob"
