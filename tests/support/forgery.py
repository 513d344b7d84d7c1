"""What an attacker does to a registry: plain git, odd trees, and stolen keys."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.signing import dsse, keys, locations
from gitmodel.domain.digest import Digest
from gitmodel.domain.pin import Pin, Release
from gitmodel.errors import InputError
from gitmodel.formats import yaml_reader, yaml_writer
from gitmodel.formats.lfs_pointer import Pointer
from gitmodel.formats.statement import PAYLOAD_TYPE, Statement, predicate_type
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitmodel.adapters.signing.keys import FileSigner
    from gitmodel.formats.bundle import Bundle
    from tests.support.workbench import Workbench

FILE, EXECUTABLE, SYMLINK, GITLINK, TREE = (
    "100644",
    "100755",
    "120000",
    "160000",
    "40000",
)


@dataclass(frozen=True)
class Item:
    """One entry of a tree object, exactly as it is to be written."""

    mode: str
    name: bytes
    oid: str


def write_object(bench: Workbench, kind: str, data: bytes) -> str:
    """Store an object, however malformed."""
    done = subprocess.run(
        ["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"],
        cwd=bench.path, input=data, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode().strip()


def read_object(bench: Workbench, kind: str, oid: str) -> bytes:
    """Return an object's bytes."""
    done = subprocess.run(
        ["git", "cat-file", kind, oid], cwd=bench.path, capture_output=True, check=True
    )
    return done.stdout


def items_of(bench: Workbench, tree: str) -> list[Item]:
    """Return the entries of a tree, in the order in which it has them."""
    data, found = read_object(bench, "tree", tree), []
    while data:
        head, _, rest = data.partition(b"\0")
        mode, _, name = head.partition(b" ")
        found.append(Item(mode.decode(), name, rest[:20].hex()))
        data = rest[20:]
    return found


def write_tree(bench: Workbench, items: list[Item]) -> str:
    """Store a tree with these entries, in this order, whatever they are."""
    data = b"".join(
        item.mode.encode() + b" " + item.name + b"\0" + bytes.fromhex(item.oid)
        for item in items
    )
    return write_object(bench, "tree", data)


def in_order(items: list[Item]) -> list[Item]:
    """Return entries in the order that git demands."""
    return sorted(items, key=lambda i: i.name + b"/" * (i.mode.lstrip("0") == TREE))


def commit_tree(bench: Workbench, tree: str, *parents: str, message: str = "x") -> str:
    """Make a commit of a tree and move the branch to it; no work tree is touched."""
    parents = parents or (bench.git("rev-parse", "HEAD"),)
    flags = [word for parent in parents for word in ("-p", parent)]
    commit = bench.git("commit-tree", tree, *flags, "-m", message)
    bench.git("update-ref", "HEAD", commit)
    return commit


def edit_tree(
    bench: Workbench, directory: str, edit: Callable[[list[Item]], list[Item]]
) -> str:
    """Commit a registry in which ``edit`` has rewritten one directory's tree."""

    def descend(tree: str, parts: list[str]) -> str:
        items = items_of(bench, tree)
        if not parts:
            return write_tree(bench, edit(items))
        name = parts[0].encode()
        changed = [
            Item(item.mode, item.name, descend(item.oid, parts[1:]))
            if item.name == name
            else item
            for item in items
        ]
        return write_tree(bench, changed)

    root = bench.git("rev-parse", "HEAD^{tree}")
    return commit_tree(bench, descend(root, [p for p in directory.split("/") if p]))


def add_entry(bench: Workbench, path: str, mode: str, oid: str) -> str:
    """Commit one entry of any mode below an existing directory, sorted in."""
    directory, _, name = path.rpartition("/")
    item = Item(mode, name.encode("utf-8", "surrogateescape"), oid)

    def edit(items: list[Item]) -> list[Item]:
        return in_order([*(i for i in items if i.name != item.name), item])

    return edit_tree(bench, directory, edit)


def owner_key(bench: Workbench) -> FileSigner:
    """Return the key of the registry's only principal."""
    del bench
    return keys.load(locations.default_key(), lambda: None)


def document_at(bench: Workbench, path: str) -> dict[str, Any]:
    """Return a document of HEAD."""
    data = bench.git("show", f"HEAD:{path}").encode() + b"\n"
    value: dict[str, Any] = yaml_reader.read(data, path).value
    return value


def registry_id(bench: Workbench) -> Digest:
    """Return the digest of policy 1."""
    oid = bench.git("rev-parse", "HEAD:.gitmodel/policy/1.yaml")
    return Digest.of(read_object(bench, "blob", oid))


@dataclass(frozen=True, kw_only=True)
class Forged:
    """What a signature is to say; None stands for what an honest one would say."""

    kind: str = "transition"
    role: str = "promoter"
    decision: str = "approve"
    registry: Digest | None = None
    policy: Digest | None = None
    subject: str | None = None
    digest: Digest | None = None
    document: Mapping[str, Any] | None = None
    payload_type: str = PAYLOAD_TYPE


def signature(
    bench: Workbench, signer: FileSigner, path: str, data: bytes, said: Forged
) -> Bundle:
    """Sign something about the document ``data`` at ``path``, true or not."""
    document = said.document
    if document is None:
        document = yaml_reader.read(data, path).value
    statement = Statement(
        subject_name=said.subject or path,
        subject_digest=said.digest or Digest.of(data),
        predicate_type=predicate_type(said.kind),
        predicate={
            "registry": str(said.registry or registry_id(bench)),
            "policy": str(said.policy or registry_id(bench)),
            "role": said.role,
            "decision": said.decision,
            "comment": "",
            "document": document,
        },
    )
    return dsse.sign_bundle(signer, said.payload_type, statement.to_bytes())


def signed(
    bench: Workbench,
    path: str,
    document: Mapping[str, Any] | bytes,
    said: Forged | None = None,
    signer: FileSigner | None = None,
) -> dict[str, bytes]:
    """Return a document and its signature, as files to commit."""
    said, signer = said or Forged(), signer or owner_key(bench)
    data = document if isinstance(document, bytes) else yaml_writer.dump(document)
    bundle = signature(bench, signer, path, data, said)
    return {path: data, layout.signature_path(path, signer.keyid): bundle.to_bytes()}


def commit_files(bench: Workbench, files: Mapping[str, bytes | None]) -> str:
    """Commit files by plumbing, filters off, index and work tree following."""
    off = ("-c", "filter.lfs.process=", "-c", "filter.lfs.clean=")
    for path, data in files.items():
        target = bench.path / path
        if data is None:
            bench.git("rm", "-q", "-f", "--", path)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        bench.git(*off, "-c", "filter.lfs.required=false", "add", "-f", "--", path)
    bench.git("commit", "-qm", "hand")
    return bench.git("rev-parse", "HEAD")


def pin_of(
    bench: Workbench, stage: str, model: str, version: str, uri: str | None = None
) -> bytes:
    """Return the pin that a stage would have if it held a registered version."""
    digest = digest_at(bench, layout.manifest_path(model, version))
    pin = Pin(stage, model, Release(version, digest)).to_document()
    if uri is not None:
        pin["spec"]["model"]["uri"] = uri
    return yaml_writer.dump(pin)


def digest_at(bench: Workbench, path: str) -> Digest:
    """Return the digest of a document of HEAD."""
    return Digest.of(read_object(bench, "blob", bench.git("rev-parse", f"HEAD:{path}")))


def forge_move(
    bench: Workbench,
    stage: str,
    model: str,
    version: str,
    *,
    said: Forged | None = None,
    signer: FileSigner | None = None,
    pin: bytes | None = None,
    **fields: Any,
) -> str:
    """Commit a promotion that is honest but for ``fields``, signed with a key."""
    data = pin if pin is not None else pin_of(bench, stage, model, version)
    directory = layout.log_dir(stage, model)
    done = sorted(
        int(name.removesuffix(".yaml"))
        for name in bench.git("ls-tree", "--name-only", f"HEAD:{directory}", ok=False)
        .splitlines()
        if name.endswith(".yaml")
    )  # fmt: skip
    last = layout.transition_path(stage, model, done[-1]) if done else None
    document: dict[str, Any] = {
        "apiVersion": "gitmodel.dev/v1",
        "kind": "Transition",
        "action": "promote",
        "model": model,
        "stage": stage,
        "seq": len(done) + 1,
        "prior": str(digest_at(bench, last)) if last else None,
        "from": document_at(bench, last)["to"] if last else None,
        "to": {
            "version": version,
            "manifest": str(digest_at(bench, layout.manifest_path(model, version))),
        },
        "pin": str(Digest.of(data)),
        "policy": str(registry_id(bench)),
        "requester": "ada",
        "reason": "",
        "incident": None,
        "evidence": [],
        "createdAt": "2026-01-01T00:00:00Z",
        "expiresAt": None,
    } | {name.rstrip("_"): value for name, value in fields.items()}
    path = layout.transition_path(stage, model, document["seq"])
    files = signed(bench, path, document, said, signer)
    return commit_files(bench, {**files, layout.pin_path(stage, model): data})


def forge_version(
    bench: Workbench,
    version: str,
    *,
    said: Forged | None = None,
    signer: FileSigner | None = None,
    without: Sequence[str] = (),
    **fields: Any,
) -> str:
    """Commit fraud@``version``, like 1.1.0 but for ``fields``, signed with a key."""
    said = said or Forged(kind="version", role="publisher")
    signer = signer or owner_key(bench)
    document = document_at(bench, layout.manifest_path("fraud", "1.1.0"))
    document |= {"version": version}
    document |= {name.rstrip("_"): value for name, value in fields.items()}
    path = layout.manifest_path("fraud", version)
    files = signed(bench, path, document, said, signer)
    names = [("manifest.yaml", Digest.of(files[path]))]
    for artifact in document["artifacts"]:
        digest = Digest(artifact["sha256"])
        names.append((f"artifacts/{artifact['path']}", digest))
        place = layout.artifact_path("fraud", version, artifact["path"])
        files[place] = Pointer(digest, artifact["size"]).to_bytes()
    with suppress(InputError):  # a name that no model signature can hold
        bundle = dsse.oms_bundle(signer, f"fraud-{version}", names)
        files[layout.oms_path("fraud", version)] = bundle.to_bytes()
    return commit_files(
        bench, {path: data for path, data in files.items() if path not in without}
    )
