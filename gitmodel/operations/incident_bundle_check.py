"""Verify the evidence of an incident: offline, with no registry at hand (R179).

Nothing in the file is believed before it is proved. The history is unpacked into a
temporary directory and judged from its root; then the index must be signed by whom that
history entitles, and what is said of the incident must be what the history says.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.archive import Archive
from gitmodel.adapters.git.bundles import unpack_bundle
from gitmodel.domain.problem import Problem
from gitmodel.errors import GitmodelError, InputError
from gitmodel.formats import canonical_json
from gitmodel.operations.incident_bundle import ARTIFACTS, HISTORY, README
from gitmodel.operations.incident_members import members_of, versions_of
from gitmodel.operations.verify import verify
from gitmodel.registry import evidence_index
from gitmodel.registry.evidence_index import Index
from gitmodel.registry.handle import Context, RegistryHandle
from gitmodel.registry.versions import load
from gitmodel.version import __version__

if TYPE_CHECKING:
    from gitmodel.domain.digest import Digest
    from gitmodel.registry.view import View

_CODE = "E_INCIDENT_BUNDLE"
#: Bytes of a member that is read as a whole.
_MOST = 64 << 20
_FRAME = frozenset({HISTORY, README, evidence_index.DIGESTS})


@dataclass(slots=True, kw_only=True)
class BundleCheck:
    """What verifying an evidence bundle has shown.

    Attributes:
        maker: The principal who signed the index; None if no signature counts.
        root_given: Whether the caller named the root; else it was taken on trust.
        commits: How many commits of the history were judged.
    """

    index: Index
    root_given: bool
    maker: str | None = None
    commits: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def add(self, message: str, path: str = "", code: str = _CODE) -> None:
        """Report a problem."""
        self.problems.append(Problem(code, message, path))


def verify_bundle(
    file: Path, context: Context, *, root: Digest | None = None
) -> BundleCheck:
    """Verify an evidence bundle.

    Args:
        file: The bundle.
        context: Whose clock and progress to use; no key is needed.
        root: Digest of policy 1 as the caller knows it from elsewhere.

    Raises:
        NotFoundError: There is no such file.
        IntegrityError: It is no evidence bundle, or no whole one.
    """
    with (
        Archive(file) as archive,
        tempfile.TemporaryDirectory(prefix="gitmodel-evidence-") as scratch,
    ):
        data = archive.read(evidence_index.INDEX, evidence_index.MOST)
        index = Index.from_bytes(data)
        check = BundleCheck(index=index, root_given=root is not None)
        _verify_members(archive, check)
        if check.problems:
            return check  # what was altered is not worth being looked into
        history = Path(scratch) / HISTORY
        archive.copy(HISTORY, history)
        place = Path(scratch) / "registry.git"
        repository = unpack_bundle(history, place, index.commit)
        with closing(RegistryHandle(repository, context)) as handle:
            try:
                _verify_history(handle, check, root)
                if check.ok:
                    _verify_contents(handle, archive, check, data)
            except GitmodelError as error:
                check.add(error.message, HISTORY, error.code)
        return check


def _verify_members(archive: Archive, check: BundleCheck) -> None:
    """Hold every member against the index, and ``digests.txt`` too."""
    listed, found = check.index.members, archive.sizes
    apart = {evidence_index.INDEX, evidence_index.SIGNATURE}
    for name in sorted((_FRAME | apart | listed.keys()) - found.keys()):
        check.add("it is missing.", name)
    for name in sorted(found.keys() - listed.keys() - apart):
        check.add("the index does not list it.", name)
    for name in sorted((_FRAME | found.keys()) & listed.keys() & found.keys()):
        if found[name] != listed[name].size:
            check.add("it has not the size that the index says.", name)
        elif archive.digest(name) != listed[name].digest:
            check.add("its bytes are not those that the index says.", name)
    if check.problems:
        return
    lines = evidence_index.digest_lines(listed)
    if archive.read(evidence_index.DIGESTS, _MOST) != lines:
        check.add("it does not say what the index says.", evidence_index.DIGESTS)


def _verify_history(
    handle: RegistryHandle, check: BundleCheck, root: Digest | None
) -> None:
    """Judge every commit of the history, and the tree that it led to."""
    if root is not None and root != check.index.registry:
        check.add(
            f"its root is {check.index.registry}, not the one you trust.",
            evidence_index.INDEX,
            "E_ROOT_ANCHOR",
        )
        return
    result = verify(
        handle, root=check.index.registry, history=True, full=True, hash_bytes=False
    )
    check.problems.extend(result.problems)
    check.commits = result.steps or 0


def _verify_contents(
    handle: RegistryHandle,
    archive: Archive,
    check: BundleCheck,
    data: bytes,
) -> None:
    """Verify who made the bundle, and that it says what the history says."""
    view, index = handle.view(), check.index
    signature = archive.read(evidence_index.SIGNATURE, _MOST)
    try:
        seal = evidence_index.open_index(view, data, signature, index)
        check.maker = seal.principal
        expected = members_of(handle, view, index.incident)
        artifacts = _artifacts(view, index) if index.with_artifacts else set()
    except GitmodelError as error:
        check.add(error.message, evidence_index.SIGNATURE, error.code)
        return
    rest = index.members.keys() - _FRAME
    for name in sorted(rest - expected.keys() - artifacts):
        check.add("the history knows nothing of it.", name)
    for name in sorted((expected.keys() | artifacts) - rest):
        check.add("it is missing.", name)
    for name in sorted(rest & expected.keys()):
        said = archive.read(name, _MOST)
        if said != expected[name] and not (
            index.made_with != __version__ and _agrees(said, expected[name], name)
        ):
            check.add("it does not say what the history says.", name)
    for name in sorted(rest & artifacts):
        if index.members[name].digest.hex != name.removeprefix(ARTIFACTS):
            check.add("its bytes are not those that it is named for.", name)


def _artifacts(view: View, index: Index) -> set[str]:
    return {
        f"{ARTIFACTS}{artifact.digest.hex}"
        for model, version in versions_of(view, index.incident)
        for artifact in load(view, model, version).version.artifacts
    }


def _agrees(data: bytes, expected: bytes, name: str) -> bool:
    """Say whether a member says nothing else than the history does.

    Another gitmodel than the one that made the bundle may know more, or less.
    """
    if not name.endswith(".json") or "/" in name:
        return False
    try:
        said, known = canonical_json.loads(data), canonical_json.loads(expected)
    except InputError:
        return False
    return _accords(said, known)


def _accords(said: Any, known: Any) -> bool:
    if isinstance(said, dict) and isinstance(known, dict):
        shared = said.keys() & known.keys()
        return bool(shared or not known) and all(
            _accords(said[key], known[key]) for key in shared
        )
    if isinstance(said, list) and isinstance(known, list):
        return len(said) == len(known) and all(map(_accords, said, known))
    return type(said) is type(known) and bool(said == known)
