"""A policy as commands show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmodel.cli.output import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitmodel.cli.session import Session
    from gitmodel.domain.policy import Policy
    from gitmodel.domain.rollback_rules import RollbackRules
    from gitmodel.operations.policy_change import PolicyResult


def answer_policy(session: Session, result: PolicyResult) -> None:
    """Say what a command made of the policy, and what to run next."""
    data = policy_json(result)
    if result.status == "in_force":
        session.answer(data, "The policy says so already.")
        return
    signers = ", ".join(result.signers)
    if result.status == "pending":
        session.answer(data, _pending_text(result, signers))
        if not result.dry_run:
            whose = "by them" if result.needed else "puts it in force."
            session.hint(f"gitmodel policy sign {result.version}  {whose}")
        return
    verb = "Would make" if result.dry_run else "Made"
    text = f"{verb} policy {result.version}, signed by {signers}"
    if result.commit:
        text += f"\n  commit  {result.commit[:12]}"
    session.answer(data, text)
    if result.commit:
        session.hint("gitmodel policy show")


def _pending_text(result: PolicyResult, signers: str) -> str:
    lines = [f"Policy {result.version} waits, signed by {signers or 'nobody'}"]
    if result.dry_run:
        lines = [f"Policy {result.version} would wait, signed by {signers}"]
    lines += [f"  needs   {each}" for each in result.needed]
    lines.append(f"  branch  {result.branch}")
    if result.commit:
        lines.append(f"  commit  {result.commit[:12]}")
    return "\n".join(lines)


def policy_json(result: PolicyResult) -> dict[str, object]:
    """Return the policy for ``--json``."""
    return {
        "status": result.status,
        "version": result.version,
        "digest": result.digest,
        "signers": list(result.signers),
        "needed": list(result.needed),
        "branch": result.branch,
        "changes": result.changes,
        "commit": result.commit,
        "dryRun": result.dry_run,
        "policy": result.policy.to_document(),
    }


def policy_text(result: PolicyResult) -> str:
    """Return principals, roots, stages and what is asked of some models, as tables."""
    from gitmodel.cli.output import table

    policy = result.policy
    people = [
        (
            principal.name,
            " ".join(
                [
                    *(key.keyid[:8] for key in principal.keys),
                    *(identity.san for identity in principal.identities),
                    *(f"{kind}:{number}" for kind, number in principal.accounts),
                ]
            )
            or "-",
            " ".join(
                role.name for role in policy.roles if principal.name in role.members
            ),
        )
        for principal in policy.principals
    ]
    stages = []
    for name, rules in policy.stages:
        asked = rules.to_dict()
        stages.append(
            (
                name,
                rules.source or "-",
                _approvals(asked["approvals"]),
                _rollback(rules.rollback),
                _gates(rules.asked),
            )
        )
    head = f"Policy {result.version}, signed by {', '.join(result.signers)}"
    parts = [
        f"{head}\n  digest  {result.digest}{_roots(policy)}{_lift(policy)}",
        table(("principal", "keys and identities", "roles"), people),
        table(
            ("stage", "reached from", "approvals", "rolled back by", "gates"), stages
        ),
    ]
    if overrides := list(_overrides(policy)):
        header = ("stage", "of", "approvals, as well", "gates, as well")
        parts.append(table(header, overrides))
    if levels := policy.sensitivity.to_dict():
        named = [*levels.get("models", {}).items()]
        named.append(("(others)", levels.get("default", "restricted")))
        parts.append(table(("model", "sensitivity"), named))
    return "\n\n".join(parts)


def _lift(policy: Policy) -> str:
    from gitmodel.domain.policy import LIFT

    if policy.lift == LIFT:
        return ""
    lift = policy.lift
    return f"\n  lifts   {lift.threshold} in the role {lift.role} lift a quarantine"


def _roots(policy: Policy) -> str:
    root = policy.role("root")
    if root is None or root.threshold == 1:
        return ""
    return f"\n  roots   {root.threshold} of {', '.join(root.members)} sign a policy"


def _overrides(policy: Policy) -> Iterator[tuple[str, str, str, str]]:
    for stage, rules in policy.stages:
        for part, of in (("models", "{}"), ("sensitivity", "{} models and above")):
            for name, body in rules.asked.get(part, {}).items():
                own = {"role": rules.approver_role} | body.get("approvals", {})
                approvals = _approvals(own) if "approvals" in body else "-"
                yield stage, of.format(name), approvals, _gates(body)


def _approvals(asked: Mapping[str, Any]) -> str:
    from gitmodel.domain.forge_approval import Source

    text = f"{asked['threshold']} by {asked['role']}"
    if asked.get("direct"):
        text += f", {asked['direct']} direct"
    if asked.get("forges"):
        text += (
            f", also at {' '.join(str(Source.from_dict(s)) for s in asked['forges'])}"
        )
    return text


def _rollback(rules: RollbackRules) -> str:
    when = f" {rules.review}" if rules.approvals else ""
    parts = [rules.role, f"{counted(rules.approvals, 'approval')}{when}"]
    if "within" in rules.more:
        parts.append(f"within {rules.more['within']}")
    if rules.further_back:
        parts.append(f"up to {rules.further_back} further back")
    return ", ".join(parts)


def _gates(asked: Mapping[str, Any]) -> str:
    """Say what is asked for; ``--json`` has gates whole."""
    names = [_gate(gate) for gate in asked.get("gates", ())]
    if asked.get("soak"):
        names.append(f"soak {asked['soak']}")
    names += [
        f"freeze {window['from']}..{window['until']}"
        for window in asked.get("freeze", ())
    ]
    return ", ".join(dict.fromkeys(names)) or "-"


def _gate(gate: Mapping[str, Any]) -> str:
    [(kind, body)] = gate.items()
    match kind:
        case "attestation":
            return f"{body['type']}:{body['role']}" if "role" in body else body["type"]
        case "metric":
            low = f">={body['min']}" if "min" in body else ""
            high = f"<={body['max']}" if "max" in body else ""
            return f"{body['name']}{low}{high}"
        case "soak":
            return f"soak {body['stage']}:{body['for']}"
        case _:
            return str(kind)
