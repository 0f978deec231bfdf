# ruff: noqa: ARG002 - the signatures are those of an admin page
"""What every door (API, admin, pages) asks of a request: who is at it, and whether they may. Knows no framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.actor import Actor, Role
from kernel.errors import DomainError, NotAuthorised


def actor_of(request: Any) -> Actor:
    """Who is behind a request. `find_actor` is put on each request by the site (`selflearn_site.access`).

    Raises `NotAuthorised` for someone who has no role here.
    """
    actor: Actor = request.find_actor()
    return actor


def may(request: Any, role: Role) -> bool:
    """Whether to offer something at all. Services enforce it; this only keeps useless buttons away."""
    try:
        actor_of(request).require(role)
    except NotAuthorised:
        return False
    return True


class LookOnly:
    """Mixin of an admin page whose rows are facts: everyone on the staff may look, nobody may edit, a superuser
    neither. What may be done with such a row is an action that calls a service."""

    message_user: Any  # these two are the page's own
    response_post_save_change: Any

    def has_module_permission(self, request: Any) -> bool:
        return may(request, Role.VIEWER)

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return may(request, Role.VIEWER)

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_operator_permission(self, request: Any, obj: Any = None) -> bool:
        """For actions that declare `permissions=["operator"]`."""
        return may(request, Role.OPERATOR)

    def has_meta_user_permission(self, request: Any, obj: Any = None) -> bool:
        """For actions that declare `permissions=["meta_user"]`."""
        return may(request, Role.META_USER)

    def carry_out(self, request: Any, act: Callable[[], object], *, done: Any) -> Any:
        """What a dialog ordered: call the service, say how it went, and show the list again."""
        try:
            act()
        except DomainError as error:
            self.message_user(request, error.message, "ERROR")
        else:
            self.message_user(request, done, "SUCCESS")
        response = self.response_post_save_change(request, None)
        if request.headers.get("HX-Request"):
            # The dialog was sent by script: a redirect would be loaded into the dialog instead of the window.
            response.status_code = 200
            response["HX-Redirect"] = response["Location"]
            del response["Location"]
        return response
