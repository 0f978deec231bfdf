"""Roles of people are Django groups; roles of programs stand on their token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from contracts.actor import Actor, Role
from kernel.errors import NotAuthorised

ROOMS = (
    "audit", "incidents", "tuner", "maas", "emulator", "sensor", "hypotheses", "experiments", "teacher", "goals",
    "manager",
)  # fmt: skip
_META_USER = (("manager", "change_policy"), ("maas", "add_systemprompt"), ("access", "view_apitoken"),
              ("access", "add_apitoken"))  # fmt: skip


def role_of(user: User | AnonymousUser) -> Role | None:
    """The highest role of an active user: superusers are meta-users, staff without a group are viewers. Else None."""
    if not user.is_active or not user.is_authenticated:
        return None
    if user.is_superuser:
        return Role.META_USER
    groups = set(user.groups.values_list("name", flat=True))
    for role in (Role.META_USER, Role.OPERATOR, Role.VIEWER):
        if role.value in groups:
            return role
    return Role.VIEWER if user.is_staff else None


def actor_of(request: Any) -> Actor:
    """The actor of a request: the token's or the session's, looked up once. Raises `NotAuthorised` without a role."""
    known = getattr(request, "_selflearn_actor", None)
    if isinstance(known, Actor):
        return known
    role = role_of(request.user)
    if role is None:
        raise NotAuthorised("nobody with a role is signed in")
    actor = Actor(kind="person", name=request.user.get_username(), role=role)
    actor_bind(request, actor)
    return actor


def actor_bind(request: Any, actor: Actor) -> None:
    """From here on the request is this actor's."""
    request._selflearn_actor = actor


def roles_seed(*, using: str, **_kwargs: Any) -> None:
    """`post_migrate`: the three groups with their permissions. Safe to repeat; adds, and takes nothing away.

    Everyone sees all rooms. What else a role may do is enforced by services; the permissions say it to Django.
    """
    if using != "default":
        return
    seeing = list(Permission.objects.filter(content_type__app_label__in=ROOMS, codename__startswith="view_"))
    deciding = [
        permission
        for permission in Permission.objects.filter(codename__in=[name for _, name in _META_USER]).select_related(
            "content_type"
        )
        if (permission.content_type.app_label, permission.codename) in _META_USER
    ]
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role.value)
        group.permissions.add(*seeing, *(deciding if role is Role.META_USER else ()))
