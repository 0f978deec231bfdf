"""An emulation in the foreground: interrupted by Ctrl-C after the turns at hand, recorded when it is over."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from emulator.models import EmulationBatch
from emulator.services import Progress, emulation_run
from maas.client import MaasClient
from manager.engine.simulator import is_golden
from manager.services.emulations import emulation_record


class Interrupt:
    """Whether somebody has pressed Ctrl-C. The second time is in earnest: `KeyboardInterrupt`."""

    def __init__(self) -> None:
        self._pressed = threading.Event()

    @property
    def pressed(self) -> bool:
        return self._pressed.is_set()

    def press(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            signal.default_int_handler(number, frame)
        self._pressed.set()


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Ctrl-C and SIGTERM set the interrupt while inside. Elsewhere than in the main thread they stay as they are."""
    found = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    before = {number: signal.signal(number, found.press) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def emulation_follow(
    *, batch: EmulationBatch, client: MaasClient, on_progress: Callable[[Progress], None] | None = None
) -> tuple[EmulationBatch, bool]:
    """Play what is left of a batch here and now, and have it recorded. Also says whether it was interrupted.

    Raises what `emulation_run` raises; what was played until then is recorded all the same.
    """
    with interruptible() as interrupt:
        try:
            played = emulation_run(
                batch_id=batch.pk,
                client=client,
                on_progress=on_progress,
                should_stop=lambda: interrupt.pressed,
                is_golden=is_golden,
            )
        finally:
            emulation_record(batch)
    return played, interrupt.pressed
