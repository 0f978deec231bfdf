"""Who calls: a bearer token, or a session with its CSRF token. Either way `request.auth` is the `Actor`."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import APIKeyCookie, HttpBearer

from contracts.actor import Actor
from selflearn_site.access.roles import actor_bind, actor_of
from selflearn_site.access.scopes import scope_of, scope_require
from selflearn_site.access.services import token_actor


class TokenAuth(HttpBearer):
    """A wrong token ends the request, also where a session would do: the caller must learn that it is wrong. A token
    that lacks the scope of this call is refused here, before anything is read (`NotAuthorised`)."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        known, found = getattr(request, "_selflearn_token", (None, None))  # looked up by the guards already
        actor = found if known == token else token_actor(token)
        if actor is None:
            raise AuthenticationError(message="the token is unknown, expired or revoked")
        scope_require(actor.scopes, scope_of(request.method or "GET", request.path))
        actor_bind(request, actor)
        return actor


class SessionAuth(APIKeyCookie):
    """A signed-in person. ninja checks the CSRF token of every method that changes something."""

    param_name = "sessionid"

    def _get_key(self, request: HttpRequest) -> str | None:
        # Without a session there is nothing to forge: who forgot the token is told so, not about CSRF.
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        return actor_of(request) if key and request.user.is_authenticated else None


AUTH = (TokenAuth(), SessionAuth())
