"""The fixed layout of an answer's user message: what the Assembler writes and any model can read.

    ## Memories
    [1] 2025-03-02 | Speaker: text of the memory
    [2] text of a memory without its date
    ## Recent exchanges
    User: ...
    Assistant: ...
    ## Question
    ...

Each memory and each line of an exchange stands on one line; whoever writes the layout flattens line breaks, so that
remembered text cannot open a section. Everything after the first "## Question" is the question.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_SECTION = re.compile(r"^##[ \t]+(Memories|Recent exchanges|Question)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_MEMORY = re.compile(r"^\[(\d+)\][ \t]*(?:(\d{4}-\d{2}-\d{2})\S*[ \t]*\|[ \t]*)?(.*)$")
# A name before the text says who spoke: "Anna: ", "Anna Petrova: ".
_SPEAKER = re.compile(r"^([^\W\d_][\w.'’\-]*(?: [A-ZА-ЯЁ][\w.'’\-]*)?): +(?=\S)")
_TURN = re.compile(r"^(User|Assistant):[ \t]*(.*)$", re.IGNORECASE)


class Memory(NamedTuple):
    number: int
    """The number in square brackets."""
    noted: date | None
    speaker: str
    """Empty when none is named."""
    text: str


class Turn(NamedTuple):
    speaker: str
    """"user" or "assistant"."""
    text: str


class Context(NamedTuple):
    memories: tuple[Memory, ...]
    exchanges: tuple[Turn, ...]
    question: str


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _memories(block: str) -> tuple[Memory, ...]:
    found: list[Memory] = []
    for line in block.splitlines():
        match = _MEMORY.match(line)
        if match:
            text = match.group(3).strip()
            said = _SPEAKER.match(text)
            speaker = said.group(1) if said else ""
            text = text[said.end() :] if said else text
            found.append(Memory(int(match.group(1)), _date(match.group(2)), speaker, text))
        elif found and line.strip():  # a line that was not flattened belongs to the memory above it
            found[-1] = found[-1]._replace(text=f"{found[-1].text}\n{line.strip()}")
    return tuple(found)


def _turns(block: str) -> tuple[Turn, ...]:
    found: list[Turn] = []
    for line in block.splitlines():
        match = _TURN.match(line)
        if match:
            found.append(Turn(match.group(1).lower(), match.group(2).strip()))
        elif found and line.strip():
            found[-1] = found[-1]._replace(text=f"{found[-1].text}\n{line.strip()}")
    return tuple(found)


def parse_context(message: str) -> Context:
    """Read the layout. A message without a "## Question" section is a question as a whole."""
    blocks: dict[str, str] = {}
    headings = list(_SECTION.finditer(message))
    for position, heading in enumerate(headings):
        name = heading.group(1).lower()
        if name == "question":
            blocks[name] = message[heading.end() :]
            break
        end = headings[position + 1].start() if position + 1 < len(headings) else len(message)
        blocks.setdefault(name, message[heading.end() : end])
    if "question" not in blocks:
        return Context((), (), message.strip())
    return Context(
        _memories(blocks.get("memories", "")),
        _turns(blocks.get("recent exchanges", "")),
        blocks["question"].strip(),
    )
