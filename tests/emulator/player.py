"""A process that plays a batch and never gets past one turn: `python -m tests.emulator.player DATABASE BATCH TEXT`.

Says "hanging" when the turn with this text is asked, and stays there to be killed.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.maas import RunRequest


def main(database: str, batch: str, text: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "selflearn_site.settings"
    import django

    django.setup()
    from django.db import connections

    connections["default"].settings_dict["NAME"] = database
    from emulator.services import emulation_run
    from tests.emulator.fakes import FakeMaas

    def hang(request: RunRequest) -> None:
        if text in request.query:
            sys.stdout.write("hanging\n")
            sys.stdout.flush()
            while True:
                time.sleep(60)

    emulation_run(batch_id=uuid.UUID(batch), client=FakeMaas(before=hang))


if __name__ == "__main__":
    main(*sys.argv[1:])
