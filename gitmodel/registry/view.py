"""The registry at one commit, read-only.

Everything is read by object id from the commit: what lies in the work tree has
no say. Reading here trusts nothing about signatures; ``records`` adds that.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from gitmodel.adapters.git.history import first_parent_line
from gitmodel.domain.digest import Digest
from gitmodel.domain.pin import Pin
from gitmodel.domain.semver import Version
from gitmodel.domain.settings import Settings
from gitmodel.errors import GitmodelError, InputError, IntegrityError, NotFoundError
from gitmodel.registry import layout
from gitmodel.registry.parsing import as_found, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gitmodel.adapters.git.objects import ObjectReader
    from gitmodel.adapters.git.trees import Entry
    from gitmodel.domain.policy import Policy
    from gitmodel.registry.policies import Edition

T = TypeVar("T")
#: Bytes that are held before they are asked for; a hostile file has 8 MiB.
_MOST_AHEAD = 64 << 20
#: What is worked out once about a view.
_KNOWN = frozenset({"tree", "settings", "registry_id", "policy_number", "editions"})


class View:
    """What one commit says; ``commit`` None is the empty registry before the first."""

    def __init__(self, reader: ObjectReader, commit: str | None) -> None:
        self.reader = reader
        self.commit = commit
        self._signatures: dict[str, Mapping[str, list[str]]] = {}
        self._remembered: dict[object, Any] = {}
        self._ahead: dict[str, bytes] = {}
        self._boundaries: dict[int, View | None] = {}

    def read_by(self, reader: ObjectReader) -> View:
        """Return the same view read by another reader, with what is known of it."""
        other = View(reader, self.commit)
        known = {name: self.__dict__[name] for name in _KNOWN & self.__dict__.keys()}
        other.__dict__.update(known)
        return other

    @cached_property
    def tree(self) -> str | None:
        """The id of the root tree."""
        if self.commit is None:
            return None
        kind, data = self.reader.read(self.commit)
        if kind != "commit":
            raise IntegrityError(
                f"Object {self.commit} is a {kind}, not a commit.",
                code="E_OBJECT_CORRUPT",
            )
        first, _, _ = data.partition(b"\n")
        return first.removeprefix(b"tree ").decode("ascii", "replace")

    def entry(self, path: str) -> Entry | None:
        """Return what stands at ``path``; None for nothing."""
        oid = self.tree
        found = None
        for name in path.split("/"):
            if oid is None:
                return None
            found = self.reader.tree(oid).get(name)
            oid = found.oid if found is not None and found.is_tree else None
        return found

    def names(self, directory: str) -> Mapping[str, Entry]:
        """Return the entries of a directory ("" is the root); {} if there is none."""
        if not directory:
            return self.reader.tree(self.tree) if self.tree is not None else {}
        found = self.entry(directory)
        if found is None or not found.is_tree:
            return {}
        return self.reader.tree(found.oid)

    def blob(self, path: str) -> bytes | None:
        """Return the bytes of the file at ``path``; None if there is no plain file."""
        found = self.entry(path)
        if found is None or not found.is_file:
            return None
        if found.oid in self._ahead:
            return self._ahead[found.oid]
        return self.reader.read(found.oid).data

    def read_ahead(self, paths: Iterable[str]) -> None:
        """Hold the files, of those at ``paths``, that are about to be asked for.

        In place of those that were held before. What cannot be read, or is too much,
        is left for whoever asks for it.
        """
        entries = (self.entry(path) for path in paths)
        wanted = [entry.oid for entry in entries if entry is not None and entry.is_file]
        self._ahead.clear()
        room = _MOST_AHEAD
        with suppress(GitmodelError):
            for oid, found in zip(wanted, self.reader.read_all(wanted), strict=True):
                self._ahead[oid] = found.data
                room -= len(found.data)
                if room < 0:
                    return

    def once(self, key: object, work: Callable[[], T]) -> T:
        """Return what ``work`` returned when this view was first asked about a key."""
        if key not in self._remembered:
            self._remembered[key] = work()
        found: T = self._remembered[key]
        return found

    def signatures_in(self, directory: str) -> Mapping[str, list[str]]:
        """Return the signatures in a directory by the document that they stand for."""
        if directory not in self._signatures:
            found: dict[str, list[str]] = {}
            for name in self.names(directory):
                place = layout.classify(f"{directory}/{name}")
                if place.kind == "signature":
                    found.setdefault(place.document, []).append(f"{directory}/{name}")
            self._signatures[directory] = found
        return self._signatures[directory]

    def files_below(self, directory: str) -> dict[str, Entry]:
        """Return every file below a directory by its path relative to it."""
        files: dict[str, Entry] = {}
        level = [("", self.names(directory))]
        while level:
            deeper: list[tuple[str, str]] = []
            for prefix, entries in level:
                for name, found in entries.items():
                    if found.is_tree:
                        deeper.append((f"{prefix}{name}/", found.oid))
                    else:
                        files[f"{prefix}{name}"] = found
            self.reader.read_ahead(oid for _, oid in deeper)
            level = [(prefix, self.reader.tree(oid)) for prefix, oid in deeper]
        return files

    def files_since(self, base: View) -> tuple[dict[str, Entry], dict[str, Entry]]:
        """Return the files that ``base`` has otherwise or not at all.

        Returns:
            Those files, and everything in the directories that hold a difference,
            each by its path.
        """
        files: dict[str, Entry] = {}
        around: dict[str, Entry] = {}
        pending = [("", self.names(""), base.names(""))]
        while pending:
            prefix, entries, before = pending.pop()
            for name, found in entries.items():
                around[f"{prefix}{name}"] = found
                old = before.get(name)
                if old == found:
                    continue
                if not found.is_tree:
                    files[f"{prefix}{name}"] = found
                    continue
                was = self.reader.tree(old.oid) if old and old.is_tree else {}
                now = self.reader.tree(found.oid)
                if not now:
                    files[f"{prefix}{name}"] = found
                pending.append((f"{prefix}{name}/", now, was))
        return files, around

    @cached_property
    def settings(self) -> Settings:
        """The registry's settings.

        Raises:
            NotFoundError: This commit holds no registry.
        """
        data = self.blob(layout.SETTINGS)
        if data is None:
            raise NotFoundError(
                "There is no gitmodel registry in this commit: "
                f"{layout.SETTINGS} is missing.",
                "gitmodel init  makes this repository a registry.",
                code="E_NO_REGISTRY",
            )
        return parse("Registry", data, layout.SETTINGS, Settings.from_document)

    @cached_property
    def registry_id(self) -> Digest:
        """The digest of policy 1: the root that every proof starts from."""
        return Digest.of(self._policy_bytes(1))

    @cached_property
    def policy_number(self) -> int:
        """The number of the policy in force."""
        numbers = [
            place.seq
            for name in self.names(".gitmodel/policy")
            if (place := layout.classify(f".gitmodel/policy/{name}")).kind == "policy"
        ]
        return max(numbers, default=0)

    @cached_property
    def editions(self) -> Mapping[Digest, Edition]:
        """Every policy by its digest, oldest first.

        Raises:
            IntegrityError: One of them is not signed by those whom it takes.
        """
        # Keys take a while to import, and who only looks needs none.
        from gitmodel.registry.policy_chain import prove  # noqa: PLC0415

        if not self.policy_number:
            self._policy_bytes(0)
        proved = prove(self.policy_number, self._signed_policy, self.blob)
        return {edition.digest: edition for edition in proved}

    @cached_property
    def edition(self) -> Edition:
        """The policy in force, with its digest and keys."""
        return list(self.editions.values())[-1]

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.edition.policy

    @property
    def policy_digest(self) -> Digest:
        """The digest of the policy in force."""
        return self.edition.digest

    def edition_of(self, digest: Digest) -> Edition | None:
        """Return the policy with that digest, in force or replaced; None for none."""
        return self.editions.get(digest)

    def stood_under(self, path: str, policy: Digest) -> bool:
        """Say whether a file was here, as it is, while a replaced policy was in force.

        That is so if it was there before the commit that brought the next policy.
        """
        edition = self.edition_of(policy)
        if edition is None:
            return False
        before = self._before_policy(edition.policy.version + 1)
        return before is not None and before.entry(path) == self.entry(path)

    def _before_policy(self, number: int) -> View | None:
        """Return the registry just before policy ``number`` came; None if unknown."""
        if number not in self._boundaries:
            line = first_parent_line(
                self.reader.repository,
                str(self.commit),
                paths=(layout.policy_path(number),),
            )
            parent = line[-1][1] if line else None
            self._boundaries[number] = View(self.reader, parent) if parent else None
        return self._boundaries[number]

    def _signed_policy(self, number: int) -> tuple[bytes, Sequence[tuple[str, bytes]]]:
        path = layout.policy_path(number)
        signatures = self.signatures_in(path.rpartition("/")[0]).get(path, ())
        return self._policy_bytes(number), [
            (signature, self.blob(signature) or b"") for signature in signatures
        ]

    def _policy_bytes(self, number: int) -> bytes:
        data = self.blob(layout.policy_path(number)) if number else None
        if data is None:
            raise IntegrityError(
                f"The registry has no policy {number or 1}",
                f"git log -- {layout.policy_path(number or 1)}  shows who removed it.",
                code="E_POLICY_MISSING",
            )
        return data

    def models(self) -> tuple[str, ...]:
        """Return the names of the models, in order."""
        return tuple(
            sorted(
                name for name, found in self.names("models").items() if found.is_tree
            )
        )

    def versions(self, model: str) -> tuple[Version, ...]:
        """Return the versions of a model, lowest first.

        Raises:
            NotFoundError: There is no such model.
        """
        if self.entry(layout.model_dir(model)) is None:
            known = self.models()
            near = [name for name in known if name.casefold() == model.casefold()]
            hint = (
                f"Did you mean {near[0]}?"
                if near
                else f"Models here: {', '.join(known[:10])}"
                if known
                else f"gitmodel register {model} FILE…  registers its first version."
            )
            raise NotFoundError(f"There is no model {model!r} here.", hint)
        found: list[Version] = []
        for name, entry in self.names(layout.versions_dir(model)).items():
            if not entry.is_tree:
                continue
            try:
                found.append(Version.parse(name))
            except InputError:
                continue  # verify names it: E_NAME
        return tuple(sorted(found))

    def pin(self, stage: str, model: str) -> Pin | None:
        """Return what the pin of a stage says; None if the stage is empty."""
        path = layout.pin_path(stage, model)
        data = self.blob(path)
        if data is None:
            return None
        with as_found():
            return parse("ModelPin", data, path, Pin.from_document)
