"""Is this clone fit for work? Looks at git, LFS, the remote, the key and the policy."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from gitmodel.adapters.git.attributes import attribute_of
from gitmodel.adapters.git.repository import Repository
from gitmodel.adapters.lfs import transfer
from gitmodel.domain.moment import to_text
from gitmodel.errors import GitmodelError
from gitmodel.operations.access_review import overdue
from gitmodel.operations.drill_age import check_drills
from gitmodel.operations.fitness import Check
from gitmodel.operations.hooks.installing import summary
from gitmodel.operations.incident_report import list_incidents
from gitmodel.operations.keys import choose
from gitmodel.operations.late_review import unsettled
from gitmodel.operations.notification_checks import check_notifications
from gitmodel.operations.remote_checks import check_remote, check_tags
from gitmodel.registry import layout
from gitmodel.registry.handle import RegistryHandle
from gitmodel.registry.reviews import last_digest
from gitmodel.registry.watch_store import WatchStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gitmodel.registry.handle import Context
    from gitmodel.registry.view import View

_GIT_WANTED = (2, 34)
#: An incident that has been open for longer may be forgotten.
_INCIDENT_AGE = timedelta(days=7)


def doctor(
    directory: Path, context: Context, *, offline: bool = False
) -> tuple[Check, ...]:
    """Look at everything, however much of it is missing.

    Args:
        directory: Where to look for the registry.
        context: What the caller brings along.
        offline: Ask no remote.
    """
    checks = [_git_version(), _git_lfs()]
    try:
        repository = Repository.discover(directory)
    except GitmodelError as error:
        return (*checks, _failed("repository", error))
    with closing(RegistryHandle(repository, context)) as handle:
        return (*checks, *_look(handle, offline=offline))


def _look(handle: RegistryHandle, *, offline: bool) -> tuple[Check, ...]:
    repository, checks = handle.repository, []
    checks.append(Check("repository", ok=True, found=str(repository.git_dir)))
    checks.append(_branch(handle))
    checks.append(_identity(repository))
    try:
        view = handle.view()
    except GitmodelError as error:
        checks.append(_failed("registry", error))
        return (*checks, _signer(handle, None))
    checks.append(
        Check("registry", ok=True, found=f"{view.settings.name}, {view.registry_id}")
    )
    questions: tuple[Callable[[RegistryHandle, View], Iterator[Check]], ...] = (
        _shallow,
        _policy,
        _access_review,
        _late_reviews,
        _incidents,
        _attributes,
        _store,
        _remote,
        _commit_signatures,
        _hooks,
        _watcher,
        check_tags,
        check_notifications,
        check_drills,
        *(() if offline else (check_remote,)),
    )
    for question in questions:
        try:
            checks.extend(question(handle, view))
        except GitmodelError as error:
            checks.append(
                _failed(question.__name__.removeprefix("check").strip("_"), error)
            )
    return (*checks, _signer(handle, view))


def _failed(name: str, error: GitmodelError) -> Check:
    return Check(name, ok=False, found=error.message, hint=" ".join(error.hints))


def _git_version() -> Check:
    from gitmodel.adapters.git.process import git_version  # noqa: PLC0415

    try:
        found = git_version()
    except GitmodelError as error:
        return _failed("git", error)
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
    wanted = ".".join(map(str, _GIT_WANTED))
    return Check(
        "git",
        ok=numbers >= _GIT_WANTED,
        found=found,
        hint="" if numbers >= _GIT_WANTED else f"Install git {wanted} or later.",
    )


def _git_lfs() -> Check:
    found = transfer.version()
    return Check(
        "git-lfs",
        ok=found is not None,
        found=found or "not installed",
        hint=""
        if found
        else "apt-get install git-lfs  (or brew install git-lfs); "
        "only push and pull from a remote need it.",
        required=False,
    )


def _identity(repository: Repository) -> Check:
    found = repository.identity()
    return Check(
        "identity",
        ok=found is not None,
        found=found or "git has no user.name and user.email; commits name principals",
        hint="" if found else 'git config --global user.name "Your Name"',
        required=False,
    )


def _branch(handle: RegistryHandle) -> Check:
    try:
        branch = handle.writable_branch()
    except GitmodelError as error:
        return _failed("branch", error)
    return Check("branch", ok=True, found=branch.removeprefix("refs/heads/"))


def _shallow(handle: RegistryHandle, view: View) -> Iterator[Check]:
    del view
    if handle.repository.is_shallow:
        yield Check(
            "history",
            ok=False,
            found="this clone is shallow; old signatures cannot be judged in it",
            hint="git fetch --unshallow",
            required=False,
        )


def _policy(handle: RegistryHandle, view: View) -> Iterator[Check]:
    del handle
    policy = view.policy
    missing = [
        stage for stage in view.settings.stages if stage not in dict(policy.stages)
    ]
    people = ", ".join(principal.name for principal in policy.principals)
    yield Check(
        "policy",
        ok=not missing,
        found=f"policy {policy.version}; principals: {people}",
        hint=f"The policy has no rules for {', '.join(missing)}" if missing else "",
    )


def _access_review(handle: RegistryHandle, view: View) -> Iterator[Check]:
    if len(view.policy.principals) == 1 and not last_digest(view)[0]:
        return
    late = overdue(view, handle.context.clock.now())
    yield Check(
        "access review",
        ok=not late,
        found=late or "up to date",
        hint="gitmodel policy review  shows who may do what;  --sign-off  signs that "
        "you have looked."
        if late
        else "",
        required=False,
    )


def _late_reviews(handle: RegistryHandle, view: View) -> Iterator[Check]:
    now = handle.context.clock.now()
    waiting = list(unsettled(view, now))
    if not waiting:
        return
    bad = [review for review in waiting if review.standing(now) != "due"]
    first = (bad or waiting)[0]
    move = first.transition
    yield Check(
        "rollback reviews",
        ok=not bad,
        found=first.describe(now)
        + (f" And {len(waiting) - 1} more." if len(waiting) > 1 else ""),
        hint=f"gitmodel log {move.model} --stage {move.stage}  shows it; it counts "
        "until the stage is moved again."
        if first.rejections
        else f"gitmodel approve {move.model}#{move.stage}  by somebody else.",
    )


def _incidents(handle: RegistryHandle, view: View) -> Iterator[Check]:
    late = to_text(handle.context.clock.now() - _INCIDENT_AGE)
    rows = list_incidents(view, only_open=True)
    old = [
        row.id
        for row in rows
        if row.incident is None or row.incident.opening.created_at < late
    ]
    if rows:
        age = f"; for more than {_INCIDENT_AGE.days} days: {', '.join(old)}"
        yield Check(
            "incidents",
            ok=not old,
            found=f"{len(rows)} open{age if old else ''}",
            hint=f"gitmodel incident show {old[0]}  says what is still to do."
            if old
            else "",
            required=False,
        )


def _attributes(handle: RegistryHandle, view: View) -> Iterator[Check]:
    entry = view.entry(layout.ATTRIBUTES)
    probe = "models/m/versions/1.0.0/artifacts/weights"
    files = {layout.ATTRIBUTES: entry.oid} if entry else {}
    value = attribute_of(handle.repository, "filter", [probe], files).get(probe)
    yield Check(
        "lfs attributes",
        ok=value == "lfs",
        found=f"artifacts: filter={value}",
        hint=""
        if value == "lfs"
        else f"Put this line last in {layout.ATTRIBUTES} and commit it: "
        f"{layout.ARTIFACTS_PATTERN} filter=lfs diff=lfs merge=lfs -text",
    )


def _store(handle: RegistryHandle, view: View) -> Iterator[Check]:
    del view
    if handle.repository.config("filter.lfs.process") is None:
        yield Check(
            "lfs filter",
            ok=False,
            found="git does not know git-lfs here",
            hint="git lfs install --local  makes plain git checkouts give real bytes.",
            required=False,
        )
    yield Check("lfs store", ok=True, found=str(handle.store.root))


def _remote(handle: RegistryHandle, view: View) -> Iterator[Check]:
    remotes = handle.repository.remotes()
    yield Check(
        "remote",
        ok=bool(remotes),
        found=", ".join(remotes) or "none: this clone is the only copy",
        hint="" if remotes else "git remote add origin URL",
        required=False,
    )
    if view.entry(".lfsconfig") is not None:
        yield Check(
            "lfs server",
            ok=False,
            found="the registry carries a .lfsconfig, which may redirect downloads",
            hint="Look at it; better set lfs.url in each clone: git config lfs.url URL",
            required=False,
        )


def _commit_signatures(handle: RegistryHandle, view: View) -> Iterator[Check]:
    del view
    path = handle.repository.config("gpg.ssh.allowedsignersfile")
    yield Check(
        "commit signatures",
        ok=path is not None,
        found=path or "git log --show-signature knows no signers here",
        hint="" if path else "gitmodel init  sets it up in this clone.",
        required=False,
    )


def _hooks(handle: RegistryHandle, view: View) -> Iterator[Check]:
    del view
    ok, found = summary(handle.repository)
    yield Check(
        "hooks",
        ok=ok,
        found=found,
        hint="" if ok else "gitmodel hooks install",
        required=False,
    )


def _watcher(handle: RegistryHandle, view: View) -> Iterator[Check]:
    del view
    beat = WatchStore(handle.repository).last_beat()
    if beat is None:
        return
    late = beat.until is not None and handle.context.clock.now() > beat.until
    yield Check(
        "watcher",
        ok=not late,
        found=f"last sign of life at {to_text(beat.at)}, process {beat.process}",
        hint="It has stopped, or hangs: start  gitmodel watch  again." if late else "",
        required=False,
    )


def _signer(handle: RegistryHandle, view: View | None) -> Check:
    policy = view.policy if view is not None else None
    try:
        chosen = choose(handle.context, handle.repository, policy)
    except GitmodelError as error:
        return Check(
            "key",
            ok=False,
            found=error.message,
            hint=" ".join([*error.hints, "Reading needs no key."]),
            required=False,
        )
    name = "key" if chosen.identity is None else "keyless identity"
    if view is None or chosen.principal is not None:
        owner = f" ({chosen.principal})" if chosen.principal else ""
        return Check(name, ok=True, found=f"{chosen}{owner}")
    return Check(
        name,
        ok=False,
        found=f"{chosen} belongs to no principal",
        hint="A root lets it in:  gitmodel policy add-principal NAME --key FILE.pub ; "
        "then git pull. GITMODEL_KEY=FILE  chooses another; reading needs no key."
        if chosen.identity is None
        else "gitmodel policy add-principal NAME --identity ISSUER=SAN  by a root "
        "adds it.",
        required=False,
    )
