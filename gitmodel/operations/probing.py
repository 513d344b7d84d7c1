"""Carries out one check of a model, on what a stage holds now (R184 to R186).

Whatever comes of it is an outcome: a check that crashes, hangs, or is not allowed on
this machine is a check that failed, and says why.
"""

from __future__ import annotations

import json
import math
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmodel.adapters.bounds import OutOfBoundsError
from gitmodel.adapters.deadline import Deadline
from gitmodel.adapters.latency import ask_repeatedly
from gitmodel.adapters.lfs import scratch
from gitmodel.adapters.lfs.checkout import copy_out_all
from gitmodel.adapters.metrics.answers import BrokenSourceError
from gitmodel.adapters.metrics.integrity import compare
from gitmodel.adapters.running import run_program
from gitmodel.domain.aftermath import CheckOutcome
from gitmodel.domain.validation import (
    CommandProbe,
    HttpProbe,
    IntegrityProbe,
    ScanProbe,
)
from gitmodel.errors import GitmodelError
from gitmodel.formats.json_path import parse_json_path
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.operations.fetching import fetch_missing
from gitmodel.operations.soundness import require_signed_version
from gitmodel.registry.allowed import require_allowed, require_allowed_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from gitmodel.adapters.running import Ran
    from gitmodel.domain.attestation import Finding
    from gitmodel.domain.manifest import ModelVersion
    from gitmodel.domain.pin import Release
    from gitmodel.domain.problem import Problem
    from gitmodel.domain.validation import Bounds, Check
    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

_LONGEST_DETAIL = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_DIGITS = 3
_LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a probe saw.

    Attributes:
        objection: Why all is not well; "" if it is.
        said: What there is to say if all is well.
        value: What was measured.
        findings: What was found in artifacts.
    """

    objection: str
    said: str = ""
    value: float | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Bench:
    """Where checks work: one version in one stage, and a copy of its files.

    Attributes:
        findings: What the checks found in artifacts, all of it.
    """

    handle: RegistryHandle
    view: View
    model: str
    stage: str
    release: Release
    findings: list[Finding] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _files: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def carry_out(self, check: Check) -> CheckOutcome:
        """Carry out one check; it never raises."""
        began = time.monotonic()
        deadline = Deadline(check.max_seconds)
        try:
            seen = self._look(check, deadline)
        except OutOfBoundsError:
            seen = _Seen(f"it took more than {check.max_seconds} seconds")
        except GitmodelError as error:
            why = (error.message.rstrip("."), error.hint)
            seen = _Seen("; ".join(filter(None, why)))
        except Exception as error:  # noqa: BLE001 a check that crashes has failed
            seen = _Seen(f"it crashed: {type(error).__name__}: {error}")
        self.findings += seen.findings
        value = seen.value
        return CheckOutcome(
            name=check.name,
            passed=not seen.objection,
            value=value if value is not None and math.isfinite(value) else None,
            seconds=round(time.monotonic() - began, _DIGITS),
            detail=one_line(seen.objection or seen.said),
        )

    def _look(self, check: Check, deadline: Deadline) -> _Seen:
        match check.probe:
            case CommandProbe() as probe:
                return self._command(probe, deadline)
            case HttpProbe() as probe:
                return self._http(probe, deadline)
            case ScanProbe():
                return self._scan(deadline)
            case IntegrityProbe() as probe:
                return self._integrity(probe, deadline)

    def _command(self, probe: CommandProbe, deadline: Deadline) -> _Seen:
        program = require_allowed(self.handle.repository, probe.argv[0])
        values = {
            "{model}": self.model,
            "{version}": self.release.version,
            "{stage}": self.stage,
        }
        if probe.wants_files:
            values["{path}"] = str(self._copy(deadline))
        seconds = deadline.left
        if probe.timeout is not None:
            seconds = min(seconds, probe.timeout.total_seconds())
        try:
            ran = run_program((str(program), *probe.words(values)[1:]), seconds=seconds)
        except OSError as error:
            return _Seen(f"{program} cannot be started: {error.strerror or error}")
        if ran.status is None:
            return _Seen(f"it was stopped after {seconds:.0f} seconds")
        if ran.status:
            how = f"it ended with {ran.status}"
            return _Seen(f"{how}: {ran.complaint}" if ran.complaint else how)
        return (
            _measured(ran, probe.metric) if probe.metric else _Seen("", "it ended well")
        )

    def _http(self, probe: HttpProbe, deadline: Deadline) -> _Seen:
        # Else whoever can push could ask, from here, who is there in our network.
        require_allowed_address(self.handle.repository, probe.url)
        found = ask_repeatedly(
            probe.url,
            requests=probe.requests,
            status=probe.status,
            timeout=probe.timeout.total_seconds(),
            deadline=deadline,
        )
        if found.problem:
            return _Seen(found.problem)
        p95 = round(found.p95, _DIGITS)
        said = f"p95 of {probe.requests} requests is {p95} ms"
        if probe.p95 is not None and found.p95 > probe.p95:
            objection = f"{said}, and at most {probe.p95:g} ms is asked for"
            return _Seen(objection, value=p95)
        return _Seen("", said, p95)

    def _scan(self, deadline: Deadline) -> _Seen:
        version = self._version()
        if problems := self._hash(version, deadline):
            return _altered(problems)
        # Scanners take a while to import, and most checks are none.
        from gitmodel.operations.scan import scan_artifacts  # noqa: PLC0415

        found = scan_artifacts(self.handle, version.artifacts, deadline.over).findings
        count = len(found)
        objection = ""
        if found:
            objection = f"{found[0].path}: {found[0].message}"
            objection += f", and {count - 1} more" if count > 1 else ""
        said = "no artifact carries code"
        return _Seen(objection, said, count, found)

    def _integrity(self, probe: IntegrityProbe, deadline: Deadline) -> _Seen:
        version = self._version()
        if problems := self._hash(version, deadline):
            return _altered(problems)
        said = "every artifact is what was signed"
        if probe.path is None:
            return _Seen("", said, 0)
        place = require_allowed(self.handle.repository, probe.path)
        progress = deadline.heard_by(self.handle.context.progress)
        try:
            wrong = compare(place, version.artifacts, progress.advance)
        except BrokenSourceError as error:
            return _Seen(f"{place}: {error}")
        if wrong:
            more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            first = f"{place}: {wrong[0]['path']} {wrong[0]['problem']}"
            return _Seen(f"{first}{more}", value=len(wrong))
        return _Seen("", f"{said}, in {place} too", 0)

    def _version(self) -> ModelVersion:
        """Return what the stage holds, with its bytes in this clone.

        Raises:
            NotFoundError: Some cannot be had.
            IntegrityError: It is not what was signed.
        """
        found = require_signed_version(self.view, self.model, self.release)
        fetch_missing(self.handle, self.view, found.version)
        return found.version

    def _hash(self, version: ModelVersion, deadline: Deadline) -> Sequence[Problem]:
        pointers = [Pointer(each.digest, each.size) for each in version.artifacts]
        progress = deadline.heard_by(self.handle.context.progress)
        progress.start(sum(pointer.size for pointer in pointers), "Verifying")
        try:
            outcomes = self.handle.store.verify_all(pointers, progress)
        finally:
            progress.finish()
        return [problem for problem in outcomes if problem is not None]

    def _copy(self, deadline: Deadline) -> Path:
        """Return a directory with the artifacts, verified; it is made only once."""
        if self._files is None:
            version = self._version()
            store = self.handle.store
            place = self._stack.enter_context(scratch.claim(store.scratch)).path
            files = place / "artifacts"
            files.mkdir()
            wanted = [
                (Pointer(each.digest, each.size), files / each.path)
                for each in version.artifacts
            ]
            progress = deadline.heard_by(self.handle.context.progress)
            copy_out_all(store, wanted, progress)
            self._files = files
        return self._files


def _measured(ran: Ran, bounds: Bounds) -> _Seen:
    """Return the number that a program printed, and what is wrong with it."""
    name = bounds.json_path or "the number"
    if not ran.whole:
        return _Seen("it printed more than is read")
    try:
        value = json.loads(ran.output)
        if bounds.json_path is not None:
            value = parse_json_path(bounds.json_path).find(value)
    except (ValueError, RecursionError):
        return _Seen(
            "what it printed is no JSON"
            if bounds.json_path
            else "what it printed is no number"
        )
    except LookupError as error:
        return _Seen(f"in what it printed, {error}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _Seen(f"{name} is no number")
    if abs(value) > _LARGEST:
        return _Seen(f"{name} is too large")
    said = f"{name} is {value}"
    objection = bounds.objection(value)
    return _Seen(f"{said}, and {objection}" if objection else "", said, value)


def _altered(problems: Sequence[Problem]) -> _Seen:
    more = f" {len(problems) - 1} more are wrong too." if len(problems) > 1 else ""
    return _Seen(f"{problems[0].message}{more}", value=len(problems))


def one_line(text: str) -> str:
    """Return text as the ``detail`` of a check has it."""
    line = _CONTROL.sub(" ", text).strip()
    if len(line) > _LONGEST_DETAIL:
        line = f"{line[: _LONGEST_DETAIL - 1]}…"
    return line.encode("utf-8", "replace").decode()
