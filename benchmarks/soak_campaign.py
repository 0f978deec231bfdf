"""A campaign under kills: its worker, an orchestrator and the database are killed by SIGKILL at random moments.

Then everything must be as in the same campaign that nobody disturbed: decisions with their reasons, journal,
parameters, runs and bill. `manage.py soak campaign`, `make soak`. Latency is simulated: it is that of the machine.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import connection, connections
from psycopg import sql

from benchmarks.own_server import own_server, server_restart
from benchmarks.small_world import Sizes, world_write
from benchmarks.soak_campaign_account import Story, counts, differences, story_read, twice
from benchmarks.soak_campaign_plan import Blow, What, blows_plan
from contracts.actor import Actor, Role
from contracts.goal import Autonomy
from experiments.datasets import dialogues_load
from goals.domain.lifecycle import ENDED
from goals.models import Campaign
from maas.client import get_client
from manager.foreground import bundled_ready
from manager.services.campaigns import CampaignWish, campaign_launch, campaign_plan, goal_understand
from selflearn_site.database.configuration import OWNER_ROLE
from selflearn_site.database.connection import wrapper
from selflearn_site.database.launcher import EmbeddedServer

GOAL = "Raise recall of memories to 95 %, hallucinations below 8 %, fully automatic"
CYCLES, WORKERS, ORCHESTRATORS, DATABASES = 10, 10, 5, 3
LEASE_SECONDS = 4.0
DOWN_SECONDS = 1.5
"""What was killed is started again after up to this long."""
PATIENCE_SECONDS = 300.0
"""Without one more answer for so long the soak gives up."""
Say = Callable[[str], None]
_ALIASES = ("default", "maas")
_PERSON = Actor(kind="person", name="soak", role=Role.META_USER)

_SIMULATED = """
CREATE FUNCTION public.soak_latency() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NEW.latency_ms := 20 + abs(hashtext(NEW.pipeline_run_id::text)) % 32;
  RETURN NEW;
END $$;
CREATE TRIGGER soak_latency BEFORE INSERT OR UPDATE ON public.sensor_events
FOR EACH ROW EXECUTE FUNCTION public.soak_latency();
"""
"""The latency of a run follows from its id, so that a pause of the dead decides nothing."""


def run(
    *,
    cycles: int = CYCLES,
    workers: int = WORKERS,
    orchestrators: int = ORCHESTRATORS,
    databases: int = DATABASES,
    seed: int = 1,
    small: bool = False,
    lease: float = LEASE_SECONDS,
    say: Say = print,
) -> dict[str, Any]:
    """Figures, `blows` and `problems`: a sentence each; none when both campaigns tell the same.

    `small`: on the small world of the tests instead of the bundled scenarios. On an embedded server of its own.
    """
    started = time.monotonic()
    kills: dict[What, int] = {"worker": workers, "orchestrator": orchestrators, "database": databases}
    with own_server() as (server, environment):
        say("preparing a database server of its own …")
        campaign_id = _prepared(server, cycles=cycles, seed=seed, small=small)
        _cloned(server)
        say(f"{cycles} cycles, undisturbed …")
        calm = _Course(server, environment, campaign_id, "", lease=lease, say=say, draw=random.Random(seed))
        expected, seconds = calm.run([])
        wrong = [f"undisturbed: {text}" for text in calm.problems]
        plan = blows_plan(runs=calm.figures["settled"], kills=kills, seed=seed)
        say(f"undisturbed: {calm.figures['settled']:,} runs in {seconds:.0f} s; now with {len(plan)} kills:")
        for blow in plan:
            say(f"  {blow}")
        hit = _Course(server, environment, campaign_id, "_killed", lease=lease, say=say, draw=random.Random(seed + 1))
        found, seconds_killed = hit.run(plan)
        struck = Counter(blow["what"] for blow in hit.struck)
        if len(hit.struck) != len(plan):
            wrong.append(f"only {len(hit.struck)} of {len(plan)} kills fell before the campaign ended")
        return {
            "cycles": len(expected.cycles),
            "experiments": len(expected.decisions),
            "decisions": [item[:5] for item in expected.decisions],
            "runs": len(expected.runs),
            "tokens": expected.tokens,
            "usd": expected.usd,
            "killed": {what: struck[what] for what in kills},
            "restarts": hit.restarts,
            "taken_up_again": hit.figures["taken_up_again"],
            "seconds_undisturbed": round(seconds, 1),
            "seconds_killed": round(seconds_killed, 1),
            "blows": hit.struck,
            "problems": [*wrong, *hit.problems, *differences(expected, found)],
            "seed": seed,
            "seconds": round(time.monotonic() - started, 1),
        }


def _prepared(server: EmbeddedServer, *, cycles: int, seed: int, small: bool) -> uuid.UUID:
    """Migrated databases with the data, and a campaign that runs and that nobody works on yet."""
    call_command("prepare", verbosity=0)
    if small:
        path = server.var / "small-world.jsonl"
        splits = world_write(path, Sizes())
        dialogues_load(format_name="jsonl", path=path, dataset="soak", splits=splits, actor=_PERSON)
    else:
        bundled_ready(client=get_client())
    wish = CampaignWish(
        dataset="soak" if small else "bundled",
        autonomy=Autonomy.FULL_AUTO,
        cycles=cycles,
        dialogues=6 if small else None,
        seed=seed,
    )
    campaign = campaign_plan(translation=goal_understand(GOAL), wish=wish, actor=_PERSON)
    campaign_launch(campaign_id=campaign.id, actor=_PERSON, background=False)
    with wrapper("default").owner(), connection.cursor() as cursor:
        cursor.execute(_SIMULATED)
    return campaign.id


def _cloned(server: EmbeddedServer) -> None:
    """Both databases as they are, once more.

    The checkpoint is for sequences: a copied one counts on without a word in the WAL until the next checkpoint, and a
    crash before it would give the same ids again.
    """
    connections.close_all()
    with server.connect() as administrator:
        for alias in _ALIASES:
            name = connections.settings[alias]["NAME"]
            administrator.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    sql.Identifier(f"{name}_killed"), sql.Identifier(name), sql.Identifier(OWNER_ROLE)
                )
            )
        administrator.execute("CHECKPOINT")


@dataclass
class _Course:
    """One course of the campaign on the databases whose names end in `suffix`."""

    server: EmbeddedServer
    environment: dict[str, str]
    campaign_id: uuid.UUID
    suffix: str
    lease: float
    say: Say
    draw: random.Random
    processes: dict[What, subprocess.Popen[bytes]] = field(default_factory=dict)
    struck: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    """How often a process ended by itself, of an error, and was started again."""

    def run(self, plan: list[Blow]) -> tuple[Story, float]:
        """To its end, or until nothing moves. Returns its story and the seconds it took."""
        with self._databases():
            started = time.monotonic()
            try:
                self._start("orchestrator")
                self._start("worker")
                for blow in plan:
                    if not self._until(blow):
                        break
                    self._strike(blow)
                self._until(None)
            finally:
                for process in self.processes.values():
                    process.kill()
                    process.wait()
            seconds = time.monotonic() - started
            connections.close_all()
            self.figures = counts()
            self.problems += twice()
            return story_read(self.campaign_id), seconds

    @contextmanager
    def _databases(self) -> Iterator[None]:
        """Both aliases of this process point to this course's databases meanwhile."""
        names = {alias: connections.settings[alias]["NAME"] for alias in _ALIASES}
        self._names = [f"{name}{self.suffix}" for name in names.values()]
        connections.close_all()
        try:
            for alias, name in names.items():
                connections[alias].settings_dict["NAME"] = f"{name}{self.suffix}"
            yield
        finally:
            connections.close_all()
            for alias, name in names.items():
                connections[alias].settings_dict["NAME"] = name

    def _start(self, what: What) -> None:
        command = [sys.executable, "-m", "benchmarks.soak_campaign_process", what, *self._names, str(self.lease)]
        if what == "worker":
            command.append(str(self.campaign_id))
        environment = {**self.environment, "PYTHONPATH": str(settings.BASE_DIR), "LOG_LEVEL": "ERROR"}
        with self._log(what).open("ab") as log:
            self.processes[what] = subprocess.Popen(
                command, env=environment, cwd=Path(settings.BASE_DIR), stdout=log, stderr=log
            )

    def _log(self, what: What) -> Path:
        return self.server.var / f"{what}{self.suffix}.log"

    def _until(self, blow: Blow | None) -> bool:
        """Wait for its moment, or (None) for the campaign's end; meanwhile what died of itself is started again.

        False: the campaign has ended, or nothing has moved for long.
        """
        last, since = -1, time.monotonic()
        while True:
            settled, ended = self._looked()
            if ended:
                return False
            if blow is not None and settled is not None and settled >= blow.at:
                time.sleep(blow.after)
                return True
            self._keep_alive()
            if settled is not None and settled != last:
                last, since = settled, time.monotonic()
            if time.monotonic() - since > PATIENCE_SECONDS:
                said = "; ".join(self._log(what).read_text()[-1500:] for what in self.processes)
                self.problems.append(f"nothing moved for {PATIENCE_SECONDS:g} s: {said}")
                return False
            time.sleep(0.1)

    def _looked(self) -> tuple[int | None, bool]:
        """Runs that are answered (None while the database is away), and whether the campaign has ended."""
        try:
            status = Campaign.objects.values_list("status", flat=True).get(id=self.campaign_id)
            return counts()["settled"], status in ENDED or status == "failed"
        except DatabaseError:
            connections.close_all()
            return None, False

    def _keep_alive(self) -> None:
        for what, process in list(self.processes.items()):
            if process.poll() is not None:
                self.restarts += 1
                self._start(what)

    def _strike(self, blow: Blow) -> None:
        campaign = self._at_hand()
        if blow.what == "database":
            down = server_restart(self.server, "kill")
            connections.close_all()
        else:
            process = self.processes[blow.what]
            with suppress(ProcessLookupError):
                os.kill(process.pid, 9)
            process.wait()
            down = self.draw.random() * DOWN_SECONDS
            time.sleep(down)
            self._start(blow.what)
        self.struck.append({"what": blow.what, "at": blow.at, "during": campaign, "down_seconds": round(down, 2)})
        self.say(f"  the {blow.what} is killed in {campaign}; back after {down:.2f} s")

    def _at_hand(self) -> str:
        """The cycle that the blow falls into, for the record."""
        try:
            cycle = Campaign.objects.get(id=self.campaign_id).cycles.order_by("-number").first()
        except DatabaseError:
            connections.close_all()
            return "?"
        return f"cycle {cycle.number}, {cycle.state}" if cycle else "no cycle yet"
