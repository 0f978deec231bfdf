"""Background doors of the student: tasks take ids, call one service, and are safe to run twice."""

from __future__ import annotations

import uuid

from maas.models import SessionStatus
from maas.test_runner import sessions

STEPS_AT_ONCE = 10
"""Of a test session in one task: even if each waits as long as it may, the task ends before it is cut off."""


def session_play(session_id: str) -> str:
    """Some steps of a test session; then the rest is queued."""
    key = uuid.UUID(session_id)
    session = sessions.session_play(session_id=key, at_most=STEPS_AT_ONCE)
    if session.status == SessionStatus.RUNNING:
        sessions.session_enqueue(session_id=key)
    return session.status
