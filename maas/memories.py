"""Memories that come from elsewhere, and vectors that are missing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence

from contracts.maas import NewMemory
from kernel.errors import InvalidInput
from llm.factory import get_embedder
from llm.offline.informativeness import ranked_words
from llm.text import detect_language
from maas.access import as_service
from maas.embedding import embed, embed_if_possible, said
from maas.parameters import DEFAULTS
from maas.services import time_bucket

CHUNK = 500

_IMPORT = """
INSERT INTO lsm_storage (id, user_id, time_bucket, semantic_tags, summary_text, source_run_ids, metadata, simulated_at,
  speaker, language, embedding, embedding_model)
SELECT id, user_id, bucket, ARRAY(SELECT jsonb_array_elements_text(tags)), text, '{}', metadata, at, speaker, language,
  embedding::vector, embedding_model
FROM jsonb_to_recordset(%s::jsonb) AS given(id uuid, user_id uuid, bucket text, tags jsonb, text text, metadata jsonb,
  at timestamptz, speaker text, language text, embedding text, embedding_model text)
ON CONFLICT (id) DO NOTHING
"""


def memories_import(*, memories: Sequence[NewMemory]) -> int:
    """Add memories of existing histories; an id that is there already is left as it is. Returns how many are new.

    Tags are the stems of the most informative words, the speaker's name among them, as many as the Archivist makes by
    default. Each is embedded, when the embedder answers. Raises `InvalidInput` for an empty text, and then nothing is
    imported.
    """
    rows = [_row(memory) for memory in memories]
    known = _known([memory.memory_id for memory in memories])
    rows = [row for row in rows if row["id"] not in known]
    for start in range(0, len(rows), CHUNK):  # before the transaction: an embedder may be a network away
        chunk = rows[start : start + CHUNK]
        vectors = embed_if_possible([str(row.pop("said")) for row in chunk])
        for row, (model, vector) in zip(chunk, vectors, strict=True):
            row["embedding_model"], row["embedding"] = model, vector
    added = 0
    with as_service() as cursor:
        for start in range(0, len(rows), CHUNK):
            cursor.execute(_IMPORT, [json.dumps(rows[start : start + CHUNK])])
            added += cursor.rowcount
    return added


def _known(ids: Sequence[uuid.UUID]) -> set[str]:
    with as_service() as cursor:
        cursor.execute("SELECT id::text FROM lsm_storage WHERE id = ANY(%s)", [list(ids)])
        return {row[0] for row in cursor.fetchall()}


def _row(memory: NewMemory) -> dict[str, object]:
    text = memory.text.replace("\x00", "").strip()
    if not text:
        raise InvalidInput("a memory has no text", details={"memory_id": str(memory.memory_id)})
    whole = said(memory.speaker, text)
    return {
        "id": str(memory.memory_id),
        "user_id": str(memory.user_id),
        "bucket": time_bucket(memory.simulated_at),
        "tags": [word.stem for word in ranked_words(whole)[: DEFAULTS.archivist_max_tags]],
        "text": text,
        "metadata": memory.metadata,
        "at": memory.simulated_at.isoformat(),
        "speaker": memory.speaker,
        "language": detect_language(text),
        "said": whole,
    }


_WITHOUT_VECTOR = "embedding_model IS DISTINCT FROM %s AND id > %s"
_FIRST_ID = uuid.UUID(int=0)


def memories_unembedded() -> int:
    """How many memories the present embedder has not embedded: semantic search does not see them."""
    unembedded = f"SELECT count(*) FROM lsm_storage WHERE set_aside_at IS NULL AND {_WITHOUT_VECTOR}"  # noqa: S608  own
    with as_service() as cursor:
        cursor.execute(unembedded, [get_embedder().name, _FIRST_ID])
        return int(cursor.fetchone()[0])


def memories_embed(*, on_progress: Callable[[int], None] | None = None) -> int:
    """Embed every memory that has no vector of the present embedder; after a change of it, or an outage.

    Commits by chunk: interrupted, it goes on where it stopped when it is called again. Returns how many got a vector.
    A text without anything to embed stays without. Raises as `Embedder.embed`.
    """
    name, last, done = get_embedder().name, _FIRST_ID, 0
    while True:
        with as_service() as cursor:
            cursor.execute(
                f"SELECT id, speaker, summary_text FROM lsm_storage WHERE {_WITHOUT_VECTOR} ORDER BY id LIMIT %s",  # noqa: S608  own text
                [name, last, CHUNK],
            )
            rows = cursor.fetchall()
        if not rows:
            return done
        model, vectors = embed([said(speaker, text) for _, speaker, text in rows])
        pairs = [(row[0], vector) for row, vector in zip(rows, vectors, strict=True) if vector is not None]
        with as_service() as cursor:
            cursor.execute(
                "UPDATE lsm_storage AS m SET embedding = given.vector::vector, embedding_model = %s"
                " FROM unnest(%s::uuid[], %s::text[]) AS given(id, vector) WHERE m.id = given.id",
                [model, [pair[0] for pair in pairs], [pair[1] for pair in pairs]],
            )
        last, done = rows[-1][0], done + len(pairs)
        if on_progress is not None:
            on_progress(done)
