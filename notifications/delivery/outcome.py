"""What became of one try."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_ANSWER = 500
"""Characters of an answer that are kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`again`: whether another try may end otherwise. `sent` false and `again` false is the end of it; with `unset` the
    installation has nothing to send with. `retry_after`: seconds that the receiver asked for."""

    sent: bool
    again: bool = False
    unset: bool = False
    status: int | None = None
    answer: str = ""
    error: str = ""
    retry_after: float | None = None


def shortened(text: str) -> str:
    """For the log: no control characters (a log is read in terminals too), and not without end."""
    plain = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text).strip()
    return plain if len(plain) <= LONGEST_ANSWER else plain[: LONGEST_ANSWER - 1] + "…"
