"""Retrieval: what it finds in real dialogues, and how long it takes among a million memories.

`bench retrieval --dialogues FILE [--held-out IDS]` adds the table of what is found (a LoCoMo file; nothing of it is
kept). Everything happens in a database of its own, which is dropped afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import retrieval_quality, retrieval_speed
from benchmarks.scratch import scratch_student


def run(
    quick: bool = False,
    say: Callable[[str], None] = print,
    *,
    dialogues: str = "",
    held_out: Sequence[str] = (),
) -> dict[str, Any]:
    """`quality` (absent without a file) and `speed`, with one row a configuration each."""
    with scratch_student("retrieval"):
        result: dict[str, Any] = {}
        if dialogues:
            result["quality"] = retrieval_quality.measure(Path(dialogues), held_out=held_out, quick=quick, say=say)
        else:
            say("what is found: left out; give it a LoCoMo file with --dialogues FILE")
        result["speed"] = retrieval_speed.measure(quick=quick, say=say)
        return result
