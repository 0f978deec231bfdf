"""People who can sign in, and programs with tokens: the cast with accounts."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.test import Client

from contracts.actor import Actor, Role
from selflearn_site.access.services import token_create

PASSWORD = "correct horse battery"
ROOT = Actor(kind="person", name="root", role=Role.META_USER)


def person(name: str, role: Role | None = None, *, staff: bool = True, superuser: bool = False) -> User:
    user = User.objects.create_user(username=name, password=PASSWORD, is_staff=staff, is_superuser=superuser)
    if role is not None:
        user.groups.add(Group.objects.get(name=role.value))
    return user


def client_of(user: User, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return client


def bearer(role: Role, name: str = "") -> dict[str, str]:
    """Headers of a program with this role."""
    _, plain = token_create(name=name or f"program {role.value}", role=role, actor=ROOT)
    return {"Authorization": f"Bearer {plain}"}
