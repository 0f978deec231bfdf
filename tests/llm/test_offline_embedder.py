from __future__ import annotations

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llm.errors import ModelRefused
from llm.offline import embedder as module
from llm.offline.embedder import DIMENSIONS, OfflineEmbedder

ZERO = [0.0] * DIMENSIONS


def nearness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def run(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """`code` in a process of its own, with an empty home: nothing is loaded, nothing is cached."""
    environment = {**os.environ, "HOME": str(tmp_path), "HF_HOME": str(tmp_path)}
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment)


def test_embed__paraphrase__is_nearer_than_another_subject() -> None:
    asked, near, far = OfflineEmbedder().embed(
        ["What pet do I have?", "My dog is called Bruno.", "The invoice was paid on Monday."]
    )
    assert nearness(asked, near) > nearness(asked, far) + 0.05


def test_embed__russian__same_subject_is_nearer() -> None:
    asked, near, far = OfflineEmbedder().embed(["Где я работаю?", "Я работаю медсестрой.", "Купил зелёный чайник."])
    assert nearness(asked, near) > nearness(asked, far)


def test_embed__same_text_beside_others__is_the_same_vector() -> None:
    alone = OfflineEmbedder().embed(["My dog is called Bruno."])
    assert OfflineEmbedder().embed(["x " * 300, "My dog is called Bruno."])[1] == alone[0]


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_embed__no_token__is_a_zero_vector(text: str) -> None:
    assert OfflineEmbedder().embed([text, "a"])[0] == ZERO


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\u200b", "👩‍👩‍👧", "漢字"])
def test_embed__unusual_characters__has_a_finite_vector(text: str) -> None:
    assert math.isclose(math.hypot(*OfflineEmbedder().embed([text])[0]), 1.0, rel_tol=1e-5)


def test_embed__text_longer_than_one_sum__is_the_mean_of_all_of_it() -> None:
    once, often = OfflineEmbedder().embed(["red bicycle", " ".join(["red bicycle"] * 3000)])
    assert nearness(once, often) > 0.999


def test_embed__many_threads_at_first__load_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []
    load = module._load
    monkeypatch.setattr(module, "_loaded", [])

    def counted() -> object:
        loads.append(1)
        return load()

    monkeypatch.setattr(module, "_load", counted)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: OfflineEmbedder().embed([f"text {number % 2}"]), range(16)))
    assert len(loads) == 1
    assert found[0] == found[2] != found[1]


def test_embed__no_sockets_and_no_cache__works(tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('the network was touched')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from llm.offline.embedder import OfflineEmbedder\n"
        "assert len(OfflineEmbedder().embed(['a'])[0]) == 256\n"
    )
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_embed__weights_missing__is_refused_without_asking_the_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import wordllama

    monkeypatch.setattr(module, "_loaded", [])
    monkeypatch.setattr(wordllama, "__file__", str(tmp_path / "__init__.py"))  # no tokenizer there
    monkeypatch.setattr("requests.get", lambda *_, **__: pytest.fail("the network was touched"))
    with pytest.raises(ModelRefused, match="wheel"):
        OfflineEmbedder().embed(["a"])


def test_import__embedder__loads_nothing_until_called(tmp_path: Path) -> None:
    code = "import sys, llm.offline.embedder, llm.factory; sys.exit('wordllama' in sys.modules)"
    assert run(code, tmp_path).returncode == 0


def test_embed__first_call__leaves_the_root_logger_as_it_was(tmp_path: Path) -> None:
    code = (
        "import logging\n"
        "from llm.offline.embedder import OfflineEmbedder\n"
        "OfflineEmbedder().embed(['a'])\n"
        "assert logging.getLogger().handlers == [] and logging.getLogger().level == logging.WARNING\n"
    )
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
