"""A policy as commands show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.cli.output import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.operations.policy import PolicyResult


def policy_json(result: PolicyResult) -> dict[str, object]:
    """Return the policy for ``--json``."""
    return {
        "version": result.version,
        "digest": result.digest,
        "signers": list(result.signers),
        "commit": result.commit,
        "dryRun": result.dry_run,
        "policy": result.policy.to_document(),
    }


def policy_text(result: PolicyResult) -> str:
    """Return principals and stages as tables."""
    policy = result.policy
    people = [
        (
            principal.name,
            " ".join(
                [
                    *(key.keyid[:8] for key in principal.keys),
                    *(identity.san for identity in principal.identities),
                ]
            )
            or "-",
            " ".join(
                role.name for role in policy.roles if principal.name in role.members
            ),
        )
        for principal in policy.principals
    ]
    stages = [
        (
            name,
            rules.source or "-",
            f"{rules.approvals} by {rules.approver_role}",
            f"{rules.rollback_role}, {rules.rollback_approvals} approvals",
            _gates(rules.asked),
        )
        for name, rules in policy.stages
    ]
    head = f"Policy {result.version}, signed by {', '.join(result.signers)}"
    return "\n\n".join(
        (
            f"{head}\n  digest  {result.digest}",
            table(("principal", "keys and identities", "roles"), people),
            table(
                ("stage", "reached from", "approvals", "rolled back by", "gates"),
                stages,
            ),
        )
    )


def _gates(asked: Mapping[str, Any]) -> str:
    """Name the gates of a stage; ``--json`` has them whole."""
    names = [next(iter(gate)) for gate in asked.get("gates", ())]
    names += [name for name in ("soak", "freeze") if asked.get(name)]
    return ", ".join(dict.fromkeys(names)) or "-"
