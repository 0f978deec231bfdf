"""Who does something: a person, an API token or a component of the system."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from contracts.base import Part
from kernel.errors import NotAuthorised


class Role(StrEnum):
    """Each role may do all that the one before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    META_USER = "meta-user"


_RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.META_USER: 2}


class Actor(Part):
    kind: Literal["person", "token", "component"]
    name: str
    role: Role
    scopes: tuple[str, ...] | None = None
    """Of a token: which groups of routes it may reach, as `goals:write`. None: all that the role may."""

    @property
    def label(self) -> str:
        """How the change log names this actor, e.g. `person:anna` or `component:manager`."""
        return f"{self.kind}:{self.name}"

    def may(self, role: Role) -> bool:
        return _RANK[self.role] >= _RANK[role]

    def require(self, role: Role) -> None:
        """Raise `NotAuthorised` unless this actor's role is `role` or above. Called by services, not by doors."""
        if not self.may(role):
            raise NotAuthorised(
                f"this needs the role {role}; {self.label} is {self.role}",
                details={"needs": str(role), "has": str(self.role)},
            )


def component(name: str) -> Actor:
    """A part of the system that acts by itself; what it may do is decided by policy, guards and autonomy."""
    return Actor(kind="component", name=name, role=Role.META_USER)
