"""The student over HTTP: one router per subject, put together by the site."""

from maas.api.conversations import router as conversations
from maas.api.memories import router as memories
from maas.api.runs import router as runs
from maas.api.test_runner import router as test_runner

routers = (runs, conversations, memories, test_runner)
