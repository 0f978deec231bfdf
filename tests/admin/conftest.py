from __future__ import annotations

import pytest
from django.test import Client

from contracts.actor import Role
from tests.access.people import client_of, person
from tests.admin.world import World, world_build


@pytest.fixture
def world(db: None) -> World:
    return world_build()


@pytest.fixture
def root(db: None) -> Client:
    return client_of(person("root", superuser=True))


@pytest.fixture
def meta_user(db: None) -> Client:
    return client_of(person("alice", Role.META_USER))


@pytest.fixture
def viewer(db: None) -> Client:
    return client_of(person("charlie", Role.VIEWER))
