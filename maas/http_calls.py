"""One call of the student's API: connections kept alive, slowed down when told to, repeated when the line breaks."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import httpx2
import structlog

from kernel import errors
from maas.pace import CEILING, Pace, pause_of

log = structlog.get_logger(__name__)

CALL_TIMEOUT_SECONDS = 10.0
PATIENCE_SECONDS = 300.0
"""How long one call lets itself be told to slow down before it gives up."""
LOST_SECONDS = 30.0
"""How long one call tries to reach a service that was there before; a restart takes less."""
NEVER_REACHED_SECONDS = 3.0
"""The same for a service that has not answered yet: its address may be wrong."""
TELL_AGAIN_SECONDS = 10.0

_SLOW_DOWN = frozenset({429, 503})
_LOST = frozenset({502, 504})
"""A proxy answers in place of the service."""

_ERRORS: dict[str, type[errors.DomainError]] = {
    kind.code: kind
    for kind in (
        errors.InvalidInput,
        errors.RuleViolated,
        errors.NotFound,
        errors.IllegalTransition,
        errors.NotAuthorised,
        errors.Conflict,
        errors.Unavailable,
    )
}


class Reply(NamedTuple):
    """`held`: seconds in which the call waited for its turn or between tries, without the service at work on it."""

    data: dict[str, Any]
    held: float


class _Refused(Exception):
    """Not now: told to slow down (`slow`), or not reached. `reason` is for people."""

    def __init__(self, reason: str, *, slow: bool, retry_after: str | None = None):
        super().__init__(reason)
        self.reason, self.slow, self.retry_after = reason, slow, retry_after


class Calls:
    """Calls below one address. Threads share its connections and its pace."""

    def __init__(self, base: str, *, token: str, patience: float, lost: float):
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        limits = httpx2.Limits(max_connections=CEILING, max_keepalive_connections=CEILING, keepalive_expiry=4.0)
        self._http = httpx2.Client(headers=headers, limits=limits)
        self._base, self._patience, self._lost = base, patience, lost
        self._reached, self._tell_again = False, 0.0
        self.pace = Pace()

    def call(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, timeout: float = CALL_TIMEOUT_SECONDS
    ) -> Reply:
        """The answer as a dictionary. Only for calls that may be repeated: a try whose answer was lost is one.

        1. Wait for a turn (`Pace.slot`): fewer calls at once, and a pause, while the service asks for it.
        2. 429 and 503: halve the calls at once, wait as told by Retry-After or longer each time, and try again.
        3. A connection that broke, a timeout, a proxy's 502 or 504: wait and try again.
        4. Given up when 2 has lasted `patience` s or 3 `lost` s without a break: `Unavailable`. A service that has
           never answered is given up sooner.

        Raises the domain error that the student names, or `Unavailable`.
        """
        held, tries, since = 0.0, 0, {True: 0.0, False: 0.0}
        while True:
            began = time.monotonic()
            with self.pace.slot() as generation:
                sent = time.monotonic()
                held += sent - began
                try:
                    answer = self._once(method, path, body, timeout)
                except _Refused as refused:
                    problem, pause = refused, pause_of(refused.retry_after, tries)
                    if refused.slow:
                        self.pace.slow_down(generation, pause=pause)
                else:
                    self.pace.went_well()
                    return Reply(answer, held)
            now = time.monotonic()
            tries += 1
            since[problem.slow] = since[problem.slow] or now
            since[not problem.slow] = 0.0
            self._give_up_after(problem, since[problem.slow], now + pause)
            self._tell(problem, pause)
            time.sleep(pause)
            held += time.monotonic() - now

    def _tell(self, problem: _Refused, pause: float) -> None:
        """One line for a burst: dozens of threads are held for one cause."""
        now = time.monotonic()
        if now >= self._tell_again:
            self._tell_again = now + TELL_AGAIN_SECONDS
            log.warning("maas_calls_held", why=problem.reason, pause=round(pause, 2), at_once=self.pace.limit)

    def _give_up_after(self, problem: _Refused, since: float, next_try: float) -> None:
        lost = self._lost if self._reached else min(self._lost, NEVER_REACHED_SECONDS)
        longest = self._patience if problem.slow else lost
        if next_try - since <= longest:
            return
        if problem.slow:
            raise errors.Unavailable(
                f"the memory service has asked to slow down for longer than {longest:g} s: {problem.reason}",
                details={"retry_after": problem.retry_after},
            )
        raise errors.Unavailable(f"the memory service does not answer: {problem.reason}")

    def _once(self, method: str, path: str, body: dict[str, Any] | None, timeout: float) -> dict[str, Any]:
        try:
            response = self._http.request(method, self._base + path, json=body, timeout=timeout)
        except httpx2.TransportError as error:
            raise _Refused(str(error) or type(error).__name__, slow=False) from error
        self._reached = True
        status = response.status_code
        if status in _SLOW_DOWN:
            told = f"{status} {_message(response)}"
            raise _Refused(told, slow=True, retry_after=response.headers.get("Retry-After"))
        if status in _LOST and not _is_ours(response):
            raise _Refused(f"{status} {response.reason_phrase}", slow=False)
        if status >= 300:
            raise _domain_error(response)
        return _dictionary(response)


def _dictionary(response: httpx2.Response) -> dict[str, Any]:
    if response.status_code == 204:
        return {}
    try:
        answer = response.json()
    except ValueError as error:
        raise errors.Unavailable(f"the memory service does not answer in JSON: {error}") from error
    if not isinstance(answer, dict):
        raise errors.Unavailable("the memory service answers in a shape that is not its own")
    return answer


def _is_ours(response: httpx2.Response) -> bool:
    """A 502 of the student itself says that its model failed, in the one shape of errors."""
    try:
        return "code" in response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return False


def _message(response: httpx2.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase


def _domain_error(response: httpx2.Response) -> errors.DomainError:
    try:
        told = response.json()["error"]
        kind = _ERRORS.get(told["code"], errors.Unavailable)
        return kind(str(told["message"]), details=told.get("details") or {}, code=str(told["code"]))
    except (ValueError, KeyError, TypeError):
        return errors.Unavailable(f"the memory service answers {response.status_code} {response.reason_phrase}")
