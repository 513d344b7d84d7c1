"""Pack the evidence of an incident into one file that proves itself offline (R179).

It holds all history of the branch, what follows from it about the incident, and how to
verify both by hand; its maker signs the index. ``incident_bundle_check`` verifies it.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitmodel.adapters.archive import write_archive
from gitmodel.adapters.git.bundles import write_bundle
from gitmodel.adapters.git.history import commit_infos
from gitmodel.domain.digest import Digest
from gitmodel.domain.incident import AUTHORS
from gitmodel.domain.moment import to_text
from gitmodel.domain.names import incident_id
from gitmodel.domain.pin import Release
from gitmodel.errors import ConflictError, NotFoundError, RefusedError
from gitmodel.operations.checkpoint import is_shallow
from gitmodel.operations.fetching import fetch_missing
from gitmodel.operations.incident_members import members_of, versions_of
from gitmodel.operations.incident_report import timeline
from gitmodel.operations.soundness import require_sound_version
from gitmodel.registry import evidence_index
from gitmodel.registry.evidence_index import Index, Listed
from gitmodel.registry.versions import load
from gitmodel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.registry.handle import RegistryHandle
    from gitmodel.registry.view import View

HISTORY = "registry.bundle"
README = "README.txt"
#: Below it are bytes of versions, named for their SHA-256.
ARTIFACTS = "artifacts/"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleResult:
    """An evidence bundle that was made.

    Attributes:
        digest: Of the whole file, to hand on by another way.
        size: Of the file, in bytes.
    """

    path: Path
    index: Index
    role: str
    digest: str
    size: int


def make_bundle(
    handle: RegistryHandle, incident: str, output: Path, *, with_artifacts: bool = False
) -> BundleResult:
    """Write the evidence of an incident to a new file.

    Args:
        handle: The registry.
        incident: Its id; it need not have been opened, if something names it.
        output: The file.
        with_artifacts: Also pack the bytes of the versions that it concerns.

    Raises:
        NotFoundError: There is no such incident; or bytes cannot be had.
        ConflictError: The file is there already (``E_EXISTS``); or the clone is
            shallow (``E_SHALLOW``).
        RefusedError: The signer has no role that may make evidence.
        IntegrityError: A document or some bytes are not what they must be.
        OutsideError: The file cannot be written.
    """
    incident_id(incident)
    view = handle.view()
    principal, role = _maker(handle, view, with_artifacts=with_artifacts)
    if is_shallow(handle):
        raise ConflictError(
            "This clone is shallow: evidence has all of the history.",
            "git fetch --unshallow  brings the rest.",
            code="E_SHALLOW",
        )
    if output.exists() or output.is_symlink():
        raise ConflictError(
            f"{output} exists already; evidence replaces nothing.",
            "Choose another file with -o.",
            code="E_EXISTS",
        )
    if not timeline(handle, view, incident):
        raise NotFoundError(
            f"There is no incident {incident} here, and nothing names it.",
            "gitmodel incident list  shows all that were opened.",
        )
    with tempfile.TemporaryDirectory(prefix="gitmodel-evidence-") as scratch:
        history = Path(scratch) / HISTORY
        write_bundle(handle.repository, str(view.commit), history)
        content: dict[str, bytes | Path] = {HISTORY: history}
        content |= members_of(handle, view, incident)
        if with_artifacts:
            content |= _artifacts(handle, view, incident)
        content[README] = _readme(view, incident).encode()
        index = Index(
            incident=incident,
            made_with=__version__,
            registry=view.registry_id,
            policy=view.policy_digest,
            commit=str(view.commit),
            with_artifacts=with_artifacts,
            created_at=to_text(handle.context.clock.now()),
            created_by=principal,
            members=_listed(content),
        )
        data = index.to_bytes()
        content[evidence_index.DIGESTS] = evidence_index.digest_lines(index.members)
        content[evidence_index.INDEX] = data
        content[evidence_index.SIGNATURE] = evidence_index.sign_index(
            handle.signer, data, index, role
        )
        [info] = commit_infos(handle.reader, [str(view.commit)])
        moment = max(0, int(info.committed_at.timestamp()))
        write_archive(output, content, moment=moment)
    return BundleResult(
        path=output,
        index=index,
        role=role,
        digest=str(_digest_of(output)),
        size=output.stat().st_size,
    )


def _maker(
    handle: RegistryHandle, view: View, *, with_artifacts: bool
) -> tuple[str, str]:
    """Return who signs the index, and in which role.

    The bytes may be in quarantine; only those who may look at such get them.
    """
    roles = AUTHORS["closed" if with_artifacts else "note"]
    principal = handle.principal(view)
    for role in roles:
        if view.policy.has_role(principal, role):
            return principal, role
    raise RefusedError(
        f"{principal} has no role that may make such evidence.",
        f"Roles that may: {', '.join(roles)}",
        code="E_ROLE",
    )


def _artifacts(
    handle: RegistryHandle, view: View, incident: str
) -> Mapping[str, bytes | Path]:
    """Return the files that hold the artifacts, hashed just now, by member."""
    found: dict[str, bytes | Path] = {}
    for model, number in versions_of(view, incident):
        version = load(view, model, number).version
        fetch_missing(handle, view, version)
        release = Release(number, version.digest)
        require_sound_version(handle, view, model, release)
        for artifact in version.artifacts:
            name = f"{ARTIFACTS}{artifact.digest.hex}"
            path = handle.store.path_of(artifact.digest)
            found[name] = path if artifact.size else b""
    return found


def _listed(content: Mapping[str, bytes | Path]) -> dict[str, Listed]:
    members = {}
    for name, source in content.items():
        if isinstance(source, bytes):
            members[name] = Listed(Digest.of(source), len(source))
        else:
            members[name] = Listed(_digest_of(source), source.stat().st_size)
    lines = evidence_index.digest_lines(members)
    members[evidence_index.DIGESTS] = Listed(Digest.of(lines), len(lines))
    return members


def _digest_of(path: Path) -> Digest:
    with path.open("rb") as file:
        return Digest(hashlib.file_digest(file, "sha256").hexdigest())


def _readme(view: View, incident: str) -> str:
    return f"""\
Evidence of incident {incident}
{"=" * (21 + len(incident))}

registry.bundle   all history of the registry up to commit {view.commit},
                  as git packs it
timeline.json     what happened in the incident, oldest first
manifests/        the signed documents of the versions concerned
pins/             what the stages held just before and just after each move
diff-*.json       what distinguishes what was taken out from what was brought back
artifacts/        the bytes of the versions, named for their SHA-256, if they are here
digests.txt       the SHA-256 of all of these
index.json        the same for programs; index.json.sigstore.json is its signature by
                  the one who made this file

The root of the registry is
  {view.registry_id}
Compare it with what you know from elsewhere: all trust rests on it.

To verify everything at once, offline:
  gitmodel incident bundle --verify FILE --root {view.registry_id}

By hand, with nothing but tar, sha256sum and git:
  tar -xf FILE
  sha256sum --check digests.txt
  GIT_LFS_SKIP_SMUDGE=1 git clone registry.bundle registry
  cd registry
  git rev-parse HEAD                        # {view.commit}
  sha256sum .gitmodel/policy/1.yaml         # {view.registry_id.hex}
  git log --format='%h %cI %an %s' -- incidents/{incident} log quarantine
  git show COMMIT                           # for each commit that timeline.json names

What somebody has signed is in the signature beside it, NAME.sigstore.json:
  jq -r .dsseEnvelope.payload NAME.sigstore.json | base64 --decode
"""
