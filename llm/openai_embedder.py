"""Vectors from any OpenAI-compatible endpoint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from llm.errors import MalformedOutput
from llm.openai_client import Endpoint, as_malformed
from llm.openai_retry import Backoff

BATCH = 128
ASKED_DIMENSIONS = 256
"""What an endpoint is asked for when nobody says how long its vectors must be; one that cannot gives its own."""


class OpenAIEmbedder:
    """Implements `llm.protocol.Embedder`.

    `dimensions` given: vectors of another length are malformed. Not given: 256 are asked for, and an endpoint that
    cannot shorten its vectors decides; `dimensions` is right from the first answer on, and all later ones must agree.
    """

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str | None = None,
        dimensions: int | None = None,
        timeout: float = 30.0,
        attempts: int = 3,
        backoff: Backoff | None = None,
    ):
        self.name = model
        self.dimensions = dimensions or ASKED_DIMENSIONS
        self._is_settled = dimensions is not None
        self._timeout = timeout
        self._sends_dimensions = True
        self._endpoint = Endpoint(api_key=api_key, base_url=base_url, attempts=attempts, backoff=backoff or Backoff())

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors in the order of `texts`; a blank text is not sent and has zeros. Errors as in the protocol."""
        told = [position for position, text in enumerate(texts) if text.strip()]
        found: dict[int, list[float]] = {}
        for start in range(0, len(told), BATCH):
            positions = told[start : start + BATCH]
            batch = [texts[position] for position in positions]
            vectors = self._endpoint.call(partial(self._batch, batch), timeout=self._timeout)
            found.update(zip(positions, vectors, strict=True))
        return [found.get(position) or [0.0] * self.dimensions for position in range(len(texts))]

    def _batch(self, batch: list[str], client: Any, seconds: float) -> list[list[float]]:
        import openai

        arguments: dict[str, Any] = {"model": self.name, "input": batch, "encoding_format": "float"}
        if self._sends_dimensions:
            arguments["dimensions"] = self.dimensions
        try:
            answer = client.embeddings.create(**arguments, timeout=seconds)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not self._sends_dimensions or "dimension" not in str(error).lower():
                raise
            self._sends_dimensions = False
            return self._batch(batch, client, seconds)
        with as_malformed("The endpoint's answer holds no vectors"):
            rows = sorted(getattr(answer, "data", None) or [], key=lambda row: int(row.index))
            vectors = [_unit_length(row.embedding) for row in rows]
        lengths = {len(vector) for vector in vectors}
        wanted = {self.dimensions} if self._is_settled else lengths
        if len(vectors) != len(batch) or len(lengths) != 1 or lengths != wanted:
            raise MalformedOutput(
                "The endpoint's vectors are not as asked",
                details={"wanted": [len(batch), self.dimensions], "got": [len(vectors), *sorted(lengths)]},
            )
        self.dimensions, self._is_settled = lengths.pop(), True
        return vectors


def _unit_length(vector: Sequence[float]) -> list[float]:
    numbers = [float(value) for value in vector]
    length = math.hypot(*numbers)
    if not length or not math.isfinite(length):
        raise MalformedOutput("The endpoint gave a vector without a direction")
    return [value / length for value in numbers]
