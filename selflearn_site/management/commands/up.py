"""Everything on one machine: database, migrations, then web, worker, orchestrator and sensor until Ctrl-C."""

from __future__ import annotations

import errno
import json
import signal
import socket
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from selflearn_site.database.launcher import EmbeddedServer
from selflearn_site.processes.supervisor import Event, Supervisor

# Process name → the command of manage.py behind it.
BACKGROUND = {"worker": "qcluster", "orchestrator": "orchestrate", "sensor": "sense"}


class Command(BaseCommand):
    help = "Run web, worker, orchestrator and sensor together; Ctrl-C stops all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=_port, default=8000, metavar="1…65535")
        parser.add_argument("--json", action="store_true", help="one JSON object per line")

    def handle(self, *_args: Any, **options: Any) -> None:
        host, port, as_json = options["host"], options["port"], options["json"]
        _refuse_busy_port(host, port)
        call_command("prepare", verbosity=0)
        supervisor = Supervisor(
            self._commands(host=host, port=port), on_event=self._write_json if as_json else self._write_line
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: supervisor.stop())
        if not as_json:
            self.stdout.write(f"Selflearn is at http://{host}:{port} (Ctrl-C stops it)")
        connections.close_all()
        supervisor.run()
        if any(database["EMBEDDED"] for database in settings.DATABASES.values()):
            # It starts again with the next connection; while others work on it, it stays.
            EmbeddedServer(settings.SELFLEARN_VAR_DIR).stop_when_idle()

    def _commands(self, *, host: str, port: int) -> dict[str, list[str]]:
        manage = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
        server = [sys.executable, "-m", "uvicorn", "selflearn_site.asgi:application", "--host", host]
        web = [*server, "--port", str(port), "--lifespan", "off", "--log-level", "warning"]
        web += ["--app-dir", str(settings.BASE_DIR), "--timeout-graceful-shutdown", "5"]
        known = get_commands()
        return {"web": web} | {name: [*manage, command] for name, command in BACKGROUND.items() if command in known}

    def _write_line(self, event: Event) -> None:
        text = event.text if event.kind == "line" else f"{event.kind}: {event.text}"
        self.stdout.write(f"{event.process:<12} | {text}")
        self.stdout.flush()

    def _write_json(self, event: Event) -> None:
        line = {"process": event.process, "event": event.kind, "text": event.text}
        self.stdout.write(json.dumps(line, ensure_ascii=False))
        self.stdout.flush()


def _port(text: str) -> int:
    """Zero is refused too: the address that is printed must be the one that answers."""
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= number <= 65535:
        raise ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return number


def _refuse_busy_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(f"port {port} is in use: choose another with --port") from error
            raise CommandError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
