"""What an attacker does to a registry: plain git, odd trees, and stolen keys."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.signing import dsse, keys, locations
from gitmodel.domain.digest import Digest
from gitmodel.formats import yaml_reader, yaml_writer
from gitmodel.formats.statement import PAYLOAD_TYPE, Statement, predicate_type
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
