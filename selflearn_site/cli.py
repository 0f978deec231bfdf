"""What a command's end means to the caller: 0 done, 1 failed, 2 bad usage; one clear line instead of a traceback."""

from __future__ import annotations

import os
from collections.abc import Sequence

OK, FAILED, BAD_USAGE = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "selflearn_site.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(list(argv))
    return OK
