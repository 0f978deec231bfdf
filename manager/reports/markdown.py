"""A report's content as Markdown, in the language that is active."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from manager.reports.words import (
    before_after_said,
    count_said,
    effect_said,
    metric_said,
    moment_said,
    say,
    step_said,
    target_said,
    usd_said,
    way_said,
)


def render(report: dict[str, Any]) -> str:
    """Markdown of `content.content`, or of `cycle.cycle_content`."""
    lines = [f"# {title(report)}: {headline(report)}", "", means(report), "", state(report), ""]
    lines += _section(
        _("Targets"),
        [f"{metric_said(item)}: {target_said(item)}" for item in report["targets"]],
        _("No target of the goal has been measured."),
    )
    for name, heading in (("validation", _("Validation")), ("golden", _("Golden set (never seen by learning)"))):
        lines += _table(heading, report[name])
    if "golden_looks" in report:
        looks = report["golden_looks"]
        lines += [_("Deciding looks at the golden set: %(used)s of %(allowed)s.") % looks, ""]
    lines += _section(_("Applied"), [_told(item) for item in report["applied"]], _("Nothing was applied."))
    lines += _section(_("Waits for you"), [_waiting(item) for item in report["waiting"]], _("Nothing waits."))
    lines += _section(_("Refused"), [_told(item) for item in report["refused"]], _("Nothing was refused."))
    if report.get("rolled_back"):
        lines += _section(_("Rolled back"), [_told(item) for item in report["rolled_back"]], "")
    lines += _section(_("Next"), [say(text) for text in report["next"]], _("Nothing is proposed."))
    lines += [f"## {_('Every experiment')}", ""]
    for item in report["experiments"]:
        lines += _experiment(item)
    if not report["experiments"]:
        lines += [_("No experiment was made."), ""]
    return "\n".join([*lines, cost(report), ""])


def title(report: dict[str, Any]) -> str:
    """`Campaign 7`, or `Campaign 7, cycle 2`."""
    said = {"number": report["campaign"], "cycle": report.get("cycle")}
    if report.get("cycle") is None:
        return _("Campaign %(number)s") % said
    return _("Campaign %(number)s, cycle %(cycle)s") % said


def headline(report: dict[str, Any]) -> str:
    """The news in a sentence."""
    parts = [f"{metric_said(item)} {way_said(item)}" for item in report["targets"]]
    counted = (
        (len(report["applied"]), ngettext("%(n)s applied", "%(n)s applied", len(report["applied"]))),
        (len(report["waiting"]), ngettext("%(n)s waiting for you", "%(n)s waiting for you", len(report["waiting"]))),
        (len(report["refused"]), ngettext("%(n)s refused", "%(n)s refused", len(report["refused"]))),
        (
            len(report.get("rolled_back", [])),
            ngettext("%(n)s rolled back", "%(n)s rolled back", len(report.get("rolled_back", []))),
        ),
    )
    changes = ", ".join(words % {"n": count} for count, words in counted if count) or _("no change")
    return "; ".join([*parts, changes])


def means(report: dict[str, Any]) -> str:
    """Goal, data and versions: what the numbers rest on."""
    said = {
        **{
            name: report.get(name) for name in ("goal", "dataset", "seed", "max_cycles", "start_version", "end_version")
        },
        "cycles": report.get("cycles"),
        "autonomy": say(str(report["autonomy"]).replace("_", " ")),
    }
    if report.get("cycle") is not None:
        return _(
            "Goal: “%(goal)s” · data set %(dataset)s · autonomy %(autonomy)s · version %(start_version)s → "
            "%(end_version)s · seed %(seed)s"
        ) % said  # fmt: skip
    return _(
        "Goal: “%(goal)s” · data set %(dataset)s · autonomy %(autonomy)s · %(cycles)s of %(max_cycles)s cycles · "
        "version %(start_version)s → %(end_version)s · seed %(seed)s"
    ) % said  # fmt: skip


def state(report: dict[str, Any]) -> str:
    """How it ended, or where it is, and when."""
    ended = (
        _("Ended: %(why)s") % {"why": say(report["end_reason"])}
        if report["end_reason"]
        else _("Status: %(status)s") % {"status": say(report["status"])}
    )
    times = {"start": moment_said(report.get("started_at")), "end": moment_said(report.get("finished_at"))}
    if report.get("finished_at"):
        return f"{ended} · " + _("from %(start)s to %(end)s") % times
    return f"{ended} · " + _("since %(start)s") % times if report.get("started_at") else ended


def cost(report: dict[str, Any]) -> str:
    if report.get("tokens") is None:
        return _("What this cycle cost was not written down: it is older than that.")
    said = {"tokens": count_said(report["tokens"]), "usd": usd_said(report["cost_usd"])}
    return _("Tokens that were paid for: %(tokens)s; cost %(usd)s by the price table.") % said


def told(item: dict[str, Any]) -> str:
    """What was found and what was decided, of one experiment."""
    return say(item.get("told") or item.get("reason", ""))


def _table(heading: str, part: dict[str, Any]) -> list[str]:
    head = f"| {_('metric')} | {_('before')} | {_('after')} | n |"
    rows = []
    for row in part["rows"]:
        before, after = before_after_said(row)
        rows.append(f"| {metric_said(row)} | {before} | {after} | {row['n']} |")
    return [f"## {heading}", "", head, "|---|---|---|---|", *rows, ""]


def _section(heading: str, items: list[str], empty: str) -> list[str]:
    return [f"## {heading}", "", *([f"- {item}" for item in items] or [empty]), ""]


def _told(item: dict[str, Any]) -> str:
    where = _("cycle %(cycle)s") % {"cycle": item["cycle"]}
    return f"**{step_said(item)}** ({where}): {told(item)}"


def _waiting(item: dict[str, Any]) -> str:
    why = "; ".join(say(reason) for reason in item["reasons"]).rstrip(".")
    found = say(item["reason"]).rstrip(".")
    asked = _("Why you: %(why)s.") % {"why": why}
    return f"**{step_said(item['proposal'])}**: {found}. {asked} {say(item['golden'])}".strip()


def _experiment(item: dict[str, Any]) -> Iterator[str]:
    said = {
        "verdict": say(item["verdict"]) if item["verdict"] else _("not yet"),
        "decision": say(str(item["decision"]).split(":", 1)[0].replace("_", " "))
        if item["decision"]
        else _("none yet"),
    }
    yield f"### {item['slug']}: {step_said(item)}"
    yield ""
    yield say(item["hypothesis"])
    yield ""
    decided = _("Verdict: **%(verdict)s** · decision: %(decision)s") % said
    yield decided + (f" · {say(item['reason'])}" if item["reason"] else "")
    yield ""
    if item.get("golden"):
        reason = say(item["golden"].get("reason", ""))
        look = item.get("golden_look")
        number = f"{_('look %(number)s:') % {'number': look}} " if look else ""
        yield f"- {_('golden gate')}: {number}{reason}"
    for row in item.get("criteria", []):
        mark = _("passes") if row["passes"] else _("does not pass")
        yield f"- {metric_said(row)}: {effect_said(row)}, n = {row['n']}, {mark}: {say(row['reason'])}"
    yield ""
