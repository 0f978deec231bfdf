"""Who somebody is: groups, staff, superusers."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.management import call_command
from django.test import RequestFactory

from contracts.actor import Role
from contracts.doors import actor_of as actor_at_the_door
from kernel.errors import NotAuthorised
from selflearn_site.access.middleware import ActorMiddleware
from selflearn_site.access.roles import actor_of, role_of, roles_seed
from tests.access.people import person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", list(Role))
def test_role__of_a_member_of_its_group__is_the_groups(role: Role) -> None:
    assert role_of(person("anna", role)) is role


def test_role__of_a_member_of_several__is_the_highest() -> None:
    user = person("anna", Role.VIEWER)
    user.groups.add(Group.objects.get(name="operator"))
    assert role_of(user) is Role.OPERATOR


def test_role__of_a_superuser__is_meta_user() -> None:
    assert role_of(person("root", superuser=True)) is Role.META_USER


def test_role__of_staff_without_a_group__is_viewer() -> None:
    assert role_of(person("dora")) is Role.VIEWER


def test_role__of_others__is_none() -> None:
    assert role_of(person("eve", staff=False)) is None
    assert role_of(AnonymousUser()) is None


def test_role__of_somebody_deactivated__is_none() -> None:
    user = person("anna", Role.META_USER)
    user.is_active = False
    assert role_of(user) is None


def test_actor__of_a_request_without_role__is_not_authorised() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    with pytest.raises(NotAuthorised):
        actor_of(request)


def test_middleware__on_any_request__lets_a_door_ask_who_is_there() -> None:
    request = RequestFactory().get("/")
    request.user = person("anna", Role.OPERATOR)
    ActorMiddleware(lambda _request: None)(request)
    assert actor_at_the_door(request).label == "person:anna"


def test_groups__seeded_twice__are_three_and_see_every_room() -> None:
    roles_seed(using="default")
    assert set(Group.objects.values_list("name", flat=True)) == {"viewer", "operator", "meta-user"}
    seen = {
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in Group.objects.get(name="viewer").permissions.select_related("content_type")
    }
    assert {"audit.view_auditentry", "manager.view_approval", "maas.view_memory"} <= seen
    assert all(".view_" in name for name in seen)


@pytest.mark.django_db(transaction=True)
def test_groups__after_a_flush__are_there_again() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert Group.objects.filter(name="meta-user").exists()
