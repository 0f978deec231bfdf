"""`manage.py load_dialogues FORMAT FILE --dataset NAME [--train IDS] [--validation IDS] [--golden IDS]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from contracts.actor import Actor, Role
from experiments.datasets import FORMATS, SPLITS, dialogues_load
from experiments.importers.report import leakage_lines


class Command(BaseCommand):
    help = "Load real dialogues from a file: its turns become memories, its questions examples with ground truth."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", metavar="FORMAT", help=f"one of {', '.join(sorted(FORMATS))}")
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dataset", required=True, metavar="NAME", help="name of the data set to make")
        for split in SPLITS:
            parser.add_argument(f"--{split}", default="", metavar="IDS", help="conversation ids, comma separated")
        parser.add_argument("--json", action="store_true", help="machine-readable output")

    def handle(self, *args: Any, **options: Any) -> None:
        splits = {name: [item.strip() for item in options[name].split(",") if item.strip()] for name in SPLITS}

        def progress(done: int, total: int) -> None:
            if not options["json"]:
                self.stderr.write(f"\r{done} of {total} memories", ending="" if done < total else "\n")
                self.stderr.flush()

        dataset = dialogues_load(
            format_name=options["format"],
            path=options["file"],
            dataset=options["dataset"],
            splits=splits,
            actor=Actor(kind="person", name="command line", role=Role.META_USER),
            on_progress=progress,
        )
        report = dataset.report
        if options["json"]:
            self.stdout.write(json.dumps({"dataset": dataset.name, **report}, ensure_ascii=False))
            return
        self.stdout.write(
            f"Data set {dataset.name}: {report['conversations']} conversations, {report['memories']} memories read, "
            + ", ".join(f"{count} {split} questions" for split, count in report["questions_by_split"].items())
        )
        for item in report["skipped"]:
            self.stdout.write(f"  skipped {item['count']}: {item['reason']} (first: {item['first']})")
        if report["leakage"]["count"]:
            for line in leakage_lines(report["leakage"]):
                self.stdout.write(f"  {line}")
