"""What the bundled scenarios and the golden stories lack, all checked together.

It stands here and not beside the emulator because the emulator never reads golden stories.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from emulator.check import ScenarioReport, check_folder, leaks
from emulator.library import DATA, load_scenario
from experiments import golden_files
from kernel.errors import InvalidInput


def bundled_report() -> ScenarioReport:
    """Each by itself, all against each other, and the seal of the golden files. Takes some seconds."""
    own, golden = check_folder(), check_folder(golden_files.FOLDER)
    problems = [*own.problems, *golden.problems, *golden_files.files_problems()]
    with suppress(InvalidInput):  # a file that cannot be read is among the problems already
        problems += leaks([load_scenario(path) for path in _scenarios()])
    return ScenarioReport(scenarios=(*own.scenarios, *golden.scenarios), problems=tuple(dict.fromkeys(problems)))


def bundled_report_kept() -> ScenarioReport:
    """The same, made anew only when one of the files has changed: what a page asks."""
    files = [*_scenarios(), *sorted(DATA.glob("*.json"))]
    return _report(tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files))


@lru_cache(maxsize=2)
def _report(_files: tuple[tuple[str, int, int], ...]) -> ScenarioReport:
    return bundled_report()


def _scenarios() -> list[Path]:
    return [*sorted((DATA / "scenarios").glob("*.json")), *sorted(golden_files.FOLDER.glob("*.json"))]
