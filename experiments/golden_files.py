"""The files of the bundled golden stories, and the list of their hashes that seals them (`golden/SEAL`).

The list has the form of `sha256sum`; `manage.py seal_golden` writes it after a person has changed a story.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

BUNDLED = "bundled"
FOLDER = Path(__file__).parent / "golden"
SEAL = "SEAL"


def files_hashes(folder: Path | None = None) -> dict[str, str]:
    """File name → SHA-256 of its bytes."""
    where = folder or FOLDER
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(where.glob("*.json"))}


def files_seal(folder: Path | None = None) -> dict[str, str]:
    """Write the list of hashes, and return it."""
    found = files_hashes(folder)
    lines = [f"{value}  {name}\n" for name, value in found.items()]
    ((folder or FOLDER) / SEAL).write_text("".join(lines), encoding="utf-8")
    return found


def files_problems(folder: Path | None = None) -> list[str]:
    """How the files differ from the list, each as a sentence; empty when they do not."""
    path = (folder or FOLDER) / SEAL
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return [f"the seal of the golden files cannot be read: {path}"]
    listed = {name: value for value, _, name in (line.partition("  ") for line in lines) if name}
    found = files_hashes(folder)
    problems = [f"the golden file {name} is missing" for name in listed if name not in found]
    problems += [f"the golden file {name} is not sealed" for name in found if name not in listed]
    problems += [f"the golden file {n} was changed" for n, v in found.items() if n in listed and listed[n] != v]
    return problems
