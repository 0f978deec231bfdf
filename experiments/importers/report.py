"""The account of an import in sentences, for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """What was taken, by split, then what was skipped and why. Empty for a data set that no importer made."""
    if "format" not in report:
        return _of_stories(report)
    lines = [
        f"From {report['file']} ({report['format']}): {report['conversations']} conversations, {report['memories']} "
        f"memories and {report['questions']} questions were read.",
        *(
            f"{split.capitalize()}: {count} questions of {len(names)} conversations ({', '.join(names) or 'none'})."
            for split, names in report["splits"].items()
            if (count := report["questions_by_split"].get(split, 0)) or names
        ),
        *(
            f"Skipped {item['count']} {'time' if item['count'] == 1 else 'times'}: {item['reason']}. "
            f"First: {item['first']}."
            for item in report["skipped"]
        ),
    ]
    return [*lines, *([] if report["skipped"] else ["Nothing was skipped."]), *leakage_lines(report.get("leakage", {}))]


def leakage_lines(found: Mapping[str, Any]) -> list[str]:
    """Which texts of two splits are nearly the same; by their ids, since golden texts are not shown here."""
    if not found.get("count"):
        return ["No text of one split is nearly the same as one of another."] if found else []
    pairs = "; ".join(f"{one} and {other} ({share:.2f})" for one, other, share in found["nearest"])
    return [f"{found['count']} pairs of texts in two splits are nearly the same: {pairs}."]


def _of_stories(report: Mapping[str, Any]) -> list[str]:
    return [
        f"{split.capitalize()}: {len(names)} stories ({', '.join(names)})."
        for split, names in report.get("stories", {}).items()
    ]
