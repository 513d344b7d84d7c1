"""Reads a JSON file that another program writes, such as a scanner's report (R167).

The preset ``evidently`` reads the reports of Evidently, without needing it (R168).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.metrics.answers import BrokenSourceError, NoDataError, part, read
from gitmodel.adapters.metrics.files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

    from gitmodel.domain.sources import FileSource

_MOST = 16 << 20  # bytes
_SKEW = timedelta(minutes=1)  # of clocks, on file systems of other machines
_FAILED = "FAIL"
_DECIDED = frozenset({"SUCCESS", "WARNING", _FAILED})


def load(source: FileSource, path: Path, now: datetime) -> Any:
    """Return the JSON in a file, or the part of it that is asked for.

    Args:
        source: What to look for.
        path: Where it may be read.
        now: In UTC.

    Raises:
        NoDataError: It is too old, null, or says nothing.
        BrokenSourceError: It cannot be read, or has no such value.
    """
    data, written = _read(path)
    if source.max_age is not None:
        if written > now + _SKEW:
            raise BrokenSourceError("the file was written in the future")
        if now - written > source.max_age:
            age = timedelta(seconds=round((now - written).total_seconds()))
            raise NoDataError(f"the file is {age} old")
    document = read(data)
    if source.preset == "evidently" and source.json_path is None:
        return _failed_tests(document)
    return part(document, source.json_path)


def _read(path: Path) -> tuple[bytes, datetime]:
    """Return a file's bytes, and when they were written."""
    try:
        opened = open_regular(path)
        if opened is None:
            raise BrokenSourceError("it is not a regular file")
        file, status = opened
        with file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise BrokenSourceError(f"it cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BrokenSourceError("its path cannot be one") from error
    if len(data) > _MOST:
        raise BrokenSourceError(f"it has more than {_MOST >> 20} MiB")
    return data, datetime.fromtimestamp(status.st_mtime, UTC)


def _failed_tests(report: Any) -> list[str]:
    """Return the names of an Evidently report's tests that failed.

    A test that ended in an error, or was skipped, measured nothing. If no test
    decided, neither does the report.
    """
    tests = report.get("tests") if isinstance(report, dict) else None
    if not isinstance(tests, list):
        raise BrokenSourceError("it is not Evidently's: it holds no tests")
    found = []
    for test in tests:
        name, said = (
            (test.get("name"), test.get("status")) if isinstance(test, dict) else (0, 0)
        )
        if not isinstance(name, str) or not isinstance(said, str):
            raise BrokenSourceError(
                "it is not Evidently's: a test has no name or status"
            )
        found.append((name, said.upper()))
    failed = [name for name, said in found if said == _FAILED]
    if not failed and not any(said in _DECIDED for _, said in found):
        raise NoDataError("none of its tests came to a result")
    if not failed and any(said == "ERROR" for _, said in found):
        raise BrokenSourceError("some of its tests ended in an error")
    return failed
