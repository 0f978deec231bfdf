"""What a command's end means to the caller: 0 done, 1 failed, 2 bad usage; one clear line instead of a traceback.

Commands below `selflearn_site` may not import from here and need not: they let the errors of their services pass.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

OK, FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str], *, stderr: TextIO | None = None) -> int:
    """Run one command. `--traceback`, which every Django command has, shows where an error came from."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "selflearn_site.settings")
    import django
    from django.apps import apps
    from django.conf import settings
    from django.core.management import execute_from_command_line, get_commands

    try:
        settings.INSTALLED_APPS  # noqa: B018  wrong variables are named before any command starts
        if not apps.ready:
            django.setup()  # only then are the commands of the apps known
        name = argv[1] if len(argv) > 1 else "help"
        if not name.startswith("-") and name not in get_commands() and name not in ("help", "version"):
            # Django would end with 1, as if a command had failed.
            print(f"error: there is no command {name!r}; `python manage.py help` lists them", file=stderr or sys.stderr)
            return BAD_USAGE
        execute_from_command_line(list(argv))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) left: what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        told = explain(error)
        if told is None or "--traceback" in argv:
            raise
        code, sentence = told
        from selflearn_site.secrets import hide_known

        print(f"error: {hide_known(sentence)}", file=stderr or sys.stderr)
        return code
    return OK


def explain(error: Exception) -> tuple[int, str] | None:
    """Exit code and one line for an error that the caller can do something about; None for a defect of ours."""
    import psycopg
    from django.core.exceptions import ImproperlyConfigured
    from django.core.exceptions import ValidationError as FieldError
    from django.db import OperationalError, ProgrammingError
    from pydantic import ValidationError

    from kernel.errors import DomainError, InvalidInput

    if isinstance(error, DomainError):
        return (BAD_USAGE if isinstance(error, InvalidInput) else FAILED), f"{_line(error.message)} [{error.code}]"
    if isinstance(error, OperationalError | ImproperlyConfigured):
        return FAILED, _line(str(error))
    if isinstance(error, ProgrammingError) and isinstance(error.__cause__, psycopg.errors.UndefinedTable):
        return FAILED, "the database is not migrated: run `python manage.py prepare`"
    if isinstance(error, ValidationError):
        wrong = (f"{'.'.join(map(str, item['loc'])) or error.title}: {item['msg']}" for item in error.errors())
        return FAILED, _line("; ".join(wrong))
    if isinstance(error, FieldError):
        return FAILED, _line("; ".join(error.messages))
    return None


def _line(text: str) -> str:
    return " ".join(text.split())
