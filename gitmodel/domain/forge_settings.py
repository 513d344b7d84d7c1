"""What a forge should be told so that it asks for what the policy asks for.

A forge enforces nothing of gitmodel's rules; it can only make it harder to break them
by accident, and ask the right people for their reviews.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.domain.forge import ForgeKind, Place, Protection
from gitmodel.domain.rollback_rules import RESPONDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitmodel.domain.policy import Policy

BEGIN = "# gitmodel: begin (written by gitmodel forge codeowners)"
END = "# gitmodel: end"
#: Where each forge looks for owners, the usual place first.
CODEOWNERS: dict[ForgeKind, tuple[str, ...]] = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
    "gitea": ("CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS"),
    "forgejo": ("CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a forge's API that an administrator may send."""

    what: str
    method: str
    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where a forge is set to something else than it should be.

    Attributes:
        weaker: Whether it asks for less; if not, it asks for more.
    """

    setting: str
    wanted: str
    found: str
    weaker: bool


def owners(
    kind: ForgeKind, policy: Policy, logins: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Return the lines of CODEOWNERS that a policy asks for, and who is missing.

    Args:
        kind: Gitea and Forgejo write patterns in their own way.
        policy: In force.
        logins: The name of each principal's account.
    """
    missing: dict[str, None] = {}
    lines = [BEGIN]
    for label, roles, least, paths in _owned(policy):
        members = [
            name
            for role in roles
            if (found := policy.role(role)) is not None
            for name in found.members
        ]
        known = list(dict.fromkeys(f"@{logins[m]}" for m in members if m in logins))
        missing |= dict.fromkeys(m for m in members if m not in logins)
        if not known:
            lines.append(f"# {label}: nobody in {' or '.join(roles)} has an account")
            continue
        if kind == "gitlab":
            lines.append(f"[{label}][{min(least, len(known))}]")
        lines += [f"{_pattern(kind, path)} {' '.join(known)}" for path in paths]
    return "\n".join([*lines, END]) + "\n", tuple(missing)


def merged(before: str, block: str) -> str:
    """Return a file with our block in it, and all else as it was.

    ``merged(merged(text, block), block) == merged(text, block)``.
    """
    start, end = before.find(BEGIN), before.find(END)
    if start >= 0 and end > start:
        rest = before[end + len(END) :].removeprefix("\n")
        return before[:start] + block + rest
    if before and not before.endswith("\n"):
        before += "\n"
    # The last line that fits decides, so what the policy asks for comes last.
    return before + ("\n" if before else "") + block


def block_in(text: str) -> str | None:
    """Return our block of a file; None if it has none."""
    start, end = text.find(BEGIN), text.find(END)
    return text[start:end] + END + "\n" if 0 <= start < end else None


def wanted(policy: Policy, *, pull_requests: bool) -> Protection:
    """Return how the main branch should be protected.

    Args:
        policy: In force.
        pull_requests: Whether everything has to come by pull request; without, those
            who may push directly do so, and reviews are for stages that ask for them.
    """
    fewest = min(
        (sum(q.threshold for q in rules.approvals) for _, rules in policy.stages),
        default=0,
    )
    return Protection(
        force_push=False,
        deletion=False,
        pull_requests=pull_requests,
        approvals=fewest if pull_requests else 0,
        dismisses_stale=pull_requests,
        code_owners=pull_requests,
    )


def differences(
    kind: ForgeKind, wish: Protection, found: Protection
) -> tuple[Difference, ...]:
    """Say where a branch is protected otherwise than it should be."""
    pairs = [
        ("force pushes", _allowed(wish.force_push), _allowed(found.force_push)),
        ("deletion", _allowed(wish.deletion), _allowed(found.deletion)),
        ("pull requests", _asked(wish.pull_requests), _asked(found.pull_requests)),
        ("stale reviews", _falls(wish), _falls(found)),
    ]
    if kind in {"github", "gitlab"}:  # the others have no such setting
        pairs.append(
            ("code owners", _asked(wish.code_owners), _asked(found.code_owners))
        )
    result = [
        Difference(setting=name, wanted=one[1], found=other[1], weaker=other < one)
        for name, one, other in pairs
        if one != other
    ]
    if wish.approvals != found.approvals:
        result.append(
            Difference(
                setting="reviews",
                wanted=f"at least {wish.approvals}",
                found=str(found.approvals),
                weaker=found.approvals < wish.approvals,
            )
        )
    return tuple(result)


def calls(place: Place, branch: str, wish: Protection) -> tuple[Call, ...]:
    """Return what to send to a forge so that a branch is protected as wished."""
    match place.kind:
        case "github":
            return (_ruleset(place, branch, wish),)
        case "gitlab":
            return tuple(_gitlab(place, branch, wish))
        case "gitea" | "forgejo":
            return (_rule(place, branch, wish),)


def _owned(
    policy: Policy,
) -> Iterator[tuple[str, list[str], int, list[tuple[str, bool]]]]:
    """Yield what has owners: a label, roles, how many, and paths (directory or not)."""
    root = policy.role("root")
    files = [(".gitmodel/", True), ("gitmodel.yaml", False), (".gitattributes", False)]
    yield "policy", ["root"], root.threshold if root else 1, files
    # Whoever may change what is watched can make it blind, or let it cry wolf.
    yield "triggers", [RESPONDER], 1, [("triggers/", True)]
    for stage, rules in policy.stages:
        quorums = [quorum for quorum in rules.approvals if quorum.threshold]
        if quorums:
            paths = [(f"stages/{stage}/", True), (f"log/{stage}/", True)]
            least = sum(max(1, q.threshold - q.direct) for q in quorums)
            yield stage, [q.role for q in quorums], least, paths
        for model, _ in rules.models:
            asked = policy.rules_for(stage, model)
            more = asked.quorums("promote") if asked is not None else ()
            if more and more != tuple(quorums):
                paths = [(f"stages/{stage}/{model}.yaml", False)]
                paths.append((f"log/{stage}/{model}/", True))
                least = sum(max(1, q.threshold - q.direct) for q in more)
                yield f"{stage} {model}", [q.role for q in more], least, paths


def _pattern(kind: ForgeKind, path: tuple[str, bool]) -> str:
    name, is_directory = path
    if kind in {"gitea", "forgejo"}:
        # Regular expressions over whole paths; a dot may stay one, and must, as some
        # versions take backslashes away before they read the expression.
        return name + (".*" if is_directory else "")
    return f"/{name}"


def _allowed(value: bool) -> tuple[bool, str]:
    return (not value, "allowed" if value else "refused")


def _asked(value: bool) -> tuple[bool, str]:
    return (value, "required" if value else "not required")


def _falls(found: Protection) -> tuple[bool, str]:
    stale = found.dismisses_stale
    return (stale, "fall when the branch moves" if stale else "stay")


def _ruleset(place: Place, branch: str, wish: Protection) -> Call:
    rules: list[dict[str, Any]] = [{"type": "deletion"}, {"type": "non_fast_forward"}]
    if wish.pull_requests:
        parameters = {
            "required_approving_review_count": wish.approvals,
            "dismiss_stale_reviews_on_push": wish.dismisses_stale,
            "require_code_owner_review": wish.code_owners,
            "require_last_push_approval": False,
            "required_review_thread_resolution": False,
        }
        rules.append({"type": "pull_request", "parameters": parameters})
    return Call(
        what="a ruleset for the main branch",
        method="POST",
        path=f"/repos/{place.path}/rulesets",
        body={
            "name": "gitmodel",
            "target": "branch",
            "enforcement": "active",
            "conditions": {
                "ref_name": {"include": [f"refs/heads/{branch}"], "exclude": []}
            },
            "rules": rules,
        },
    )


def _gitlab(place: Place, branch: str, wish: Protection) -> Iterable[Call]:
    project = f"/projects/{place.path.replace('/', '%2F')}"
    nobody, maintainers = 0, 40
    yield Call(
        what="the protection of the main branch",
        method="POST",
        path=f"{project}/protected_branches",
        body={
            "name": branch,
            "push_access_level": nobody if wish.pull_requests else maintainers,
            "merge_access_level": maintainers,
            "allow_force_push": wish.force_push,
        }
        | ({"code_owner_approval_required": True} if wish.code_owners else {}),
    )
    if wish.dismisses_stale:
        yield Call(
            what="approvals (in editions that have such rules)",
            method="POST",
            path=f"{project}/approvals",
            body={
                "reset_approvals_on_push": True,
                "merge_requests_author_approval": False,
            },
        )


def _rule(place: Place, branch: str, wish: Protection) -> Call:
    return Call(
        what="the protection of the main branch",
        method="POST",
        path=f"/repos/{place.path}/branch_protections",
        body={
            "rule_name": branch,
            "enable_push": not wish.pull_requests,
            "required_approvals": wish.approvals,
            "dismiss_stale_approvals": wish.dismisses_stale,
            "block_on_rejected_reviews": True,
        },
    )
