from __future__ import annotations

import io
import zipfile

import pytest

from gitmodel.adapters.bounds import OutOfBoundsError
from gitmodel.adapters.deadline import Deadline
from gitmodel.adapters.latency import Answers
from gitmodel.domain.ports import Silent
from tests.support.malware import zipped


def test_a_file_reads_as_it_did_until_then() -> None:
    inner = io.BytesIO(zipped({"a": b"x" * 5000, "b": b"y"}))
    with Deadline(600).over(inner) as file:
        assert zipfile.ZipFile(file).read("a") == b"x" * 5000
        file.seek(-1, io.SEEK_END)
        assert (len(file.read()), file.read(), file.tell()) == (
            1,
            b"",
            len(inner.getvalue()),
        )
    assert inner.closed


def test_nothing_is_read_afterwards() -> None:
    deadline = Deadline(0)
    assert deadline.left == 0
    with pytest.raises(OutOfBoundsError):
        deadline.over(io.BytesIO(b"x")).read()
    with pytest.raises(OutOfBoundsError):
        deadline.heard_by(Silent()).advance(1)


@pytest.mark.parametrize(
    ("count", "p95"), [(1, 1.0), (19, 19.0), (20, 19.0), (21, 20.0), (100, 95.0)]
)
def test_the_percentile_is_that_of_the_nearest_rank(count: int, p95: float) -> None:
    taken = tuple(float(number) for number in range(count, 0, -1))
    assert Answers(taken, "").p95 == p95


def test_no_answers_have_no_percentile() -> None:
    assert Answers((), "x").p95 != Answers((), "x").p95
