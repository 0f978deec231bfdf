"""Vectors without a network: wordllama's static word-piece vectors, averaged. The weights are in its wheel.

Text with one word-piece in common and its paraphrases come near; word order does not count.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llm.errors import ModelRefused

NAME = "wordllama-256"
DIMENSIONS = 256
_ROWS = 4096
"""Word-pieces summed at once, so that a very long text takes no more memory than a few megabytes."""

_lock = threading.Lock()
_loaded: list[Any] = []
"""The one model of this process; a list, so that who waited for the lock sees that it is there."""


class OfflineEmbedder:
    """Implements `llm.protocol.Embedder`. The same text gives the same vector, whatever it is embedded with."""

    name = NAME
    dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Unit vectors in the order of `texts`, zeros for a text without a token. `ModelRefused` without weights."""
        if not texts:
            return []
        model = _model()
        return [_vector(model, text) for text in texts]


def _vector(model: Any, text: str) -> list[float]:
    # A lone surrogate is no text to the tokenizer. One text at a time: a batch would start threads, which do not
    # survive the fork of a worker, and pad every text to the longest.
    clean = text.strip().encode("utf-8", "replace").decode()
    pieces = model.tokenizer.encode(clean, add_special_tokens=False).ids
    if not pieces:
        return [0.0] * DIMENSIONS
    whole = model.embedding[pieces[:_ROWS]].sum(axis=0)
    for start in range(_ROWS, len(pieces), _ROWS):
        whole = whole + model.embedding[pieces[start : start + _ROWS]].sum(axis=0)
    length = float((whole @ whole) ** 0.5)
    vector: list[float] = (whole / length).tolist() if length else [0.0] * DIMENSIONS
    return vector


def _model() -> Any:
    with _lock:
        if not _loaded:
            _loaded.append(_load())
        return _loaded[0]


def _load() -> Any:
    """The model, loaded from the package's own folder: no download, no cache in anybody's home."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        import wordllama

        # The folder is named because the tokenizer is looked for in the cache only, and is fetched if not there.
        model = wordllama.WordLlama.load(disable_download=True, cache_dir=Path(wordllama.__file__).parent)
    except (ImportError, OSError, ValueError) as error:
        raise ModelRefused(
            "The offline embedder's weights are missing: install wordllama from its wheel", details={"embedder": NAME}
        ) from error
    finally:  # the package sets up the root logger when imported, which is the site's to do
        root.handlers[:] = handlers
        root.setLevel(level)
    model.tokenizer.no_padding()
    return model
