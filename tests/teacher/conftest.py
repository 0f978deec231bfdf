"""An endpoint for judges, in the product's own settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.teacher.judge_runs import MODEL
from tests.teacher.judge_server import JudgeServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[JudgeServer]:
    """It answers, at one dollar per million tokens."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with JudgeServer() as running:
        settings.SELFLEARN_LLM, settings.SELFLEARN_JUDGE_MODEL = "openai", MODEL
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "k", running.url
        settings.SELFLEARN_PRICES = f'{{"{MODEL}": [1.0, 1.0]}}'
        yield running
