"""Work for strangers ends when its time is up, whatever it is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from gitmodel.adapters.bounds import OutOfBoundsError, bounded
from tests.support.terminal import environment


def _work_for_ever() -> None:
    while True:
        with suppress(Exception):  # no handler of errors keeps it going
            sum(range(1000))


def test_endless_work_ends() -> None:
    with pytest.raises(OutOfBoundsError), bounded(0.01, 0):
        _work_for_ever()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds memory")
def test_greedy_work_ends() -> None:
    program = (
        "from gitmodel.adapters.bounds import OutOfBoundsError, bounded\n"
        "try:\n    with bounded(0, 1 << 28):\n        bytearray(1 << 29)\n"
        "except OutOfBoundsError:\n    print('ended')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "ended\n", done.stderr


def test_nothing_rings_afterwards() -> None:
    with bounded(60, 0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_no_bound_is_no_bound() -> None:
    with bounded(0, 0):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
