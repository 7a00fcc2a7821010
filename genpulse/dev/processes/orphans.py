"""Ending server processes that an earlier supervisor left behind."""

import contextlib
import signal
from pathlib import Path

import psutil

_PATIENCE_S = 5.0


def end_lost_servers(program: str, folder: Path, number: signal.Signals) -> None:
    """End processes of that program that work in the folder: two servers on the same data would spoil it."""
    orphans = [process for process in psutil.process_iter() if _works_in(process, program, folder)]
    for process in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    _, stubborn = psutil.wait_procs(orphans, _PATIENCE_S)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, _PATIENCE_S)


def _works_in(process: psutil.Process, program: str, folder: Path) -> bool:
    try:
        return process.name() == program and Path(process.cwd()) == folder.resolve()
    except psutil.Error:
        return False
