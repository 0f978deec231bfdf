"""What the terminal shows of a campaign: live progress, journal lines as they are written, and the report."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from experiments.runner import PassProgress
from goals.models import Campaign
from manager.models import Cycle, JournalEntry
from manager.reports.markdown import headline

_COLOURS = {"applied": "green", "refused": "red", "waits": "yellow", "rolled_back": "red", "ended": "bold"}


class Screen:
    """Progress and journal on one console. On a terminal a live bar; elsewhere one line per journal entry."""

    def __init__(self, console: Console):
        self.console = console
        self._progress = Progress(
            TextColumn("[bold]{task.fields[state]:<11}"),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=None, state="", rate="")
        self._last_entry = 0

    def __enter__(self) -> Screen:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, cycle: Cycle, progress: dict[str, Any]) -> None:
        self._progress.update(
            self._task,
            description=f"cycle {cycle.number}: {progress['label']}",
            completed=progress["done"],
            total=progress["planned"],
            state=cycle.state,
            rate=f"{progress['rate']:.0f}/s",
        )

    def passed(self, progress: PassProgress) -> None:
        self._progress.update(
            self._task,
            description="questions",
            completed=progress.done,
            total=progress.planned,
            state="EVALUATING",
            rate=f"{progress.rate:.0f}/s",
        )

    def judged(self, done: int, total: int) -> None:
        self._progress.update(
            self._task, description="answers judged", completed=done, total=total, state="JUDGING", rate=""
        )

    def told(self, done: int, total: int) -> None:
        self._progress.update(
            self._task, description="telling the bundled stories", completed=done, total=total, state="PREPARING"
        )

    def journal(self, campaign: Campaign) -> None:
        """Print what the journal holds beyond what was printed before."""
        for entry in JournalEntry.objects.filter(campaign=campaign, id__gt=self._last_entry).order_by("id"):
            self._last_entry = entry.id
            colour = _COLOURS.get(entry.kind, "default")
            where = f"cycle {entry.cycle_number}" if entry.cycle_number else "campaign"
            self.console.print(f"[dim]{where:<9}[/] [{colour}]{escape(entry.kind):<11}[/] {escape(entry.text)}")
            if entry.reason and entry.reason not in entry.text:
                self.console.print(f"{'':<21} [dim]{escape(entry.reason)}[/]")


def report_print(console: Console, report: dict[str, Any], *, site: str = "") -> None:
    """The report as text that fits a terminal."""
    console.rule(f"[bold]Campaign {report['campaign']}")
    console.print(f"[bold]{escape(headline(report))}")
    console.print(f"Goal: “{escape(report['goal'])}” ({report['dataset']}, {report['autonomy']})")
    console.print(
        f"{report['cycles']} of {report['max_cycles']} cycles, version {report['start_version']} → "
        f"{report['end_version']}. {escape(report['end_reason'])}"
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("metric", "validation before", "after", "golden before", "after"):
        table.add_column(title, justify="left" if title == "metric" else "right")
    golden = {row["metric"]: row for row in report["golden"]["rows"]}
    for row in report["validation"]["rows"]:
        held = golden.get(row["metric"], {})
        table.add_row(
            row["title"], row["before_text"], row["after_text"], held.get("before_text", ""), held.get("after_text", "")
        )
    console.print(table)
    console.print(f"[dim]n = {report['validation']['n']} validation and {report['golden']['n']} golden questions")
    for name, title, colour in (
        ("applied", "Applied", "green"),
        ("refused", "Refused", "red"),
        ("rolled_back", "Undone", "red"),
    ):
        for item in report.get(name, []):
            console.print(
                f"[{colour}]{title:<8}[/] [bold]{escape(str(item['factor']))}[/] {item['from']} → {item['to']}  "
                f"{escape(item['told'])}"
            )
    for item in report["waiting"]:
        change = item["proposal"]
        why = "; ".join(item["reasons"])
        console.print(
            f"[yellow]Waits   [/] [bold]{escape(str(change['param']))}[/] {change['from']} → {change['to']}  "
            f"{escape(item['reason'])}. Why you: {escape(why)}"
        )
    for text in report["next"]:
        console.print(f"Next: {escape(text)}")
    if site:
        console.print(f"Read it with its evidence at {site}")
