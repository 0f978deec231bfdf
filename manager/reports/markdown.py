"""A report's content as Markdown."""

from __future__ import annotations

from typing import Any


def render(report: dict[str, Any]) -> str:
    """Markdown of `manager.reports.content.content`."""
    lines = [
        f"# Campaign {report['campaign']}: {headline(report)}",
        "",
        f"Goal: “{report['goal']}” · data set {report['dataset']} · autonomy {report['autonomy']} · "
        f"{report['cycles']} of {report['max_cycles']} cycles · version {report['start_version']} → "
        f"{report['end_version']} · seed {report['seed']}",
        "",
        f"Ended: {report['end_reason']}" if report["end_reason"] else f"Status: {report['status']}",
        "",
        "## Targets",
        "",
        *[f"- {item['title']}: {item['text']} – {'met' if item['met'] else 'gap'}" for item in report["targets"]],
        "",
    ]
    for name, title in (("validation", "Validation"), ("golden", "Golden set (never seen by learning)")):
        lines += _table(title, report[name])
    if "golden_looks" in report:
        looks = report["golden_looks"]
        lines += [f"Deciding looks at the golden set: {looks['used']} of {looks['allowed']}.", ""]
    lines += _section("Applied", [_told(item) for item in report["applied"]], "Nothing was applied.")
    lines += _section("Waits for you", [_waiting(item) for item in report["waiting"]], "Nothing waits.")
    lines += _section("Refused", [_told(item) for item in report["refused"]], "Nothing was refused.")
    if report.get("rolled_back"):
        lines += _section("Rolled back", [_told(item) for item in report["rolled_back"]], "")
    lines += _section("Next", report["next"], "Nothing is proposed.")
    lines += ["## Every experiment", ""]
    for item in report["experiments"]:
        lines += _experiment(item)
    lines += [
        f"Tokens in emulated dialogues: {report['tokens']:,}; cost ${report['cost_usd']:.4f} by the price table.",
        "",
    ]
    return "\n".join(lines)


def headline(report: dict[str, Any]) -> str:
    """The news in a sentence."""
    parts = [f"{item['title']} {item['text'].split(',', 1)[0]}" for item in report["targets"]]
    counts = [
        (len(report["applied"]), "applied"),
        (len(report["waiting"]), "waiting for you"),
        (len(report["refused"]), "refused"),
        (len(report.get("rolled_back", [])), "rolled back"),
    ]
    changes = ", ".join(f"{count} {word}" for count, word in counts if count) or "no change"
    return "; ".join([*parts, changes])


def _table(title: str, part: dict[str, Any]) -> list[str]:
    rows = [f"| {row['title']} | {row['before_text']} | {row['after_text']} | {row['n']} |" for row in part["rows"]]
    return [f"## {title}", "", "| metric | before | after | n |", "|---|---|---|---|", *rows, ""]


def _section(title: str, items: list[str], empty: str) -> list[str]:
    return [f"## {title}", "", *([f"- {item}" for item in items] or [empty]), ""]


def _told(item: dict[str, Any]) -> str:
    return f"**{item['factor']} {item['from']} → {item['to']}** (cycle {item['cycle']}): {item['told']}"


def _waiting(item: dict[str, Any]) -> str:
    proposal = item["proposal"]
    why = "; ".join(item["reasons"])
    text = f"**{proposal['param']} {proposal['from']} → {proposal['to']}**: {item['reason']}"
    return f"{text.rstrip('.')}. Why you: {why.rstrip('.')}. {item['golden']}".strip()


def _experiment(item: dict[str, Any]) -> list[str]:
    lines = [
        f"### {item['slug']}: {item['factor']} {item['from']} → {item['to']}",
        "",
        item["hypothesis"],
        "",
        f"Verdict: **{item['verdict'] or 'not yet'}** · decision: {item['decision'] or 'none yet'}"
        + (f" · {item['reason']}" if item["reason"] else ""),
        "",
    ]
    if item.get("golden"):
        number = f"look {item['golden_look']}: " if item.get("golden_look") else ""
        lines.append(f"- golden gate: {number}{item['golden'].get('reason', '')}")
    for row in item.get("criteria", []):
        mark = "passes" if row["passes"] else "does not pass"
        lines.append(f"- {row['metric']} ({row['direction']}): {row['text']}, n = {row['n']}, {mark}: {row['reason']}")
    return [*lines, ""]
