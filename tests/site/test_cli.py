"""How a command ends: exit codes, and one clear line instead of a traceback."""

from __future__ import annotations

import io
import socket

import pytest
from pydantic import BaseModel

from kernel.errors import Conflict, InvalidInput, RuleViolated, Unavailable
from selflearn_site import cli
from tests.site.servers import manage


class _Form(BaseModel):
    size: int


def _wrong_form() -> Exception:
    try:
        _Form.model_validate({"size": "large"})
    except Exception as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InvalidInput("no such metric\nat all"), 2, "no such metric at all [INVALID_INPUT]"),
        (RuleViolated("too large a step"), 1, "too large a step [RULE_VIOLATED]"),
        (Conflict("someone was first"), 1, "someone was first [CONFLICT]"),
        (Unavailable("no model"), 1, "no model [UNAVAILABLE]"),
        (_wrong_form(), 1, "size: Input should be a valid integer"),
    ],
)
def test_explain__error_of_the_domain__is_one_line_with_its_code(error: Exception, code: int, words: str) -> None:
    told = cli.explain(error)
    assert told is not None
    assert told[0] == code
    assert words in told[1]
    assert "\n" not in told[1]


def test_explain__defect_of_ours__keeps_its_traceback() -> None:
    assert cli.explain(KeyError("surprise")) is None


def test_main__command_raises_domain_error__prints_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_argv: list[str]) -> None:
        raise RuleViolated("not now")

    monkeypatch.setattr("django.core.management.execute_from_command_line", fail)
    stderr = io.StringIO()
    assert cli.main(["manage.py", "check"], stderr=stderr) == 1
    assert stderr.getvalue() == "error: not now [RULE_VIOLATED]\n"


def test_main__traceback_asked_for__raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_argv: list[str]) -> None:
        raise RuleViolated("not now")

    monkeypatch.setattr("django.core.management.execute_from_command_line", fail)
    with pytest.raises(RuleViolated):
        cli.main(["manage.py", "check", "--traceback"])


@pytest.mark.processes
def test_manage__server_unreachable__says_where_and_what_to_do() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://anna:hidden-word@127.0.0.1:{closed.getsockname()[1]}/history"
        result = manage("prepare", environment={"DATABASE_URL": url, "SECRET_KEY": "x" * 40})
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "cannot connect to PostgreSQL at 127.0.0.1:" in result.stderr
    assert "Connection refused" in result.stderr
    assert "DATABASE_URL" in result.stderr
    assert "hidden-word" not in result.stderr


@pytest.mark.processes
def test_manage__wrong_variable__is_named_before_anything_starts() -> None:
    result = manage("prepare", environment={"DEBUG": "perhaps"})
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "DEBUG" in result.stderr


@pytest.mark.processes
def test_manage__unknown_option__is_bad_usage() -> None:
    assert manage("prepare", "--nonsense", environment={"SECRET_KEY": "x" * 40}).returncode == 2


@pytest.mark.processes
def test_up__port_in_use__fails_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        result = manage("up", "--port", str(busy.getsockname()[1]), environment={"SECRET_KEY": "x" * 40})
    assert result.returncode == 1
    assert "is in use" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("port", ["0", "-1", "99999", "http", "²"])
def test_up__port_that_cannot_be__is_bad_usage(port: str) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["manage.py", "up", "--port", port])
    assert end.value.code == cli.BAD_USAGE


def test_main__unknown_command__is_bad_usage() -> None:
    stderr = io.StringIO()
    assert cli.main(["manage.py", "lern"], stderr=stderr) == cli.BAD_USAGE
    assert stderr.getvalue() == "error: there is no command 'lern'; `python manage.py help` lists them\n"
