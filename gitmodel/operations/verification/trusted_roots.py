"""Trusted roots of Sigstore: each named for its bytes, and pinned by a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.domain.digest import Digest
from gitmodel.registry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmodel.operations.verification.findings import Findings
    from gitmodel.operations.verification.ledger import Ledger
    from gitmodel.registry.steps import Step
    from gitmodel.registry.view import View


def judge_trusted_roots(
    ledger: Ledger, step: Step, places: Mapping[str, layout.Place]
) -> None:
    """Judge every trusted root that a step added, after its policy was judged."""
    edition = ledger.edition
    pinned = edition.policy.trusted_root if edition is not None else None
    for path, place in places.items():
        data = step.blobs.get(path)
        if place.kind != "trusted_root" or data is None:
            continue
        ledger.trusted_roots[path] = data
        _require_named(ledger.findings, path, place, data, step.commit)
        if pinned is None or pinned.hex != place.name:
            ledger.findings.add(
                "E_EXTRA_FILE",
                "the policy in force does not pin this trusted root.",
                path,
                step.commit,
            )


def verify_trusted_roots(view: View, findings: Findings) -> dict[str, bytes]:
    """Verify every trusted root in a tree; return them all by path."""
    found = {}
    for name in view.names(layout.TRUSTED_ROOTS):
        path = f"{layout.TRUSTED_ROOTS}/{name}"
        place, data = layout.classify(path), view.blob(path)
        if place.kind == "trusted_root" and data is not None:
            found[path] = data
            _require_named(findings, path, place, data, "")
    return found


def _require_named(
    findings: Findings, path: str, place: layout.Place, data: bytes, commit: str
) -> None:
    if Digest.of(data).hex != place.name:
        findings.add(
            "E_TRUST_ROOT", "its name is not the digest of its bytes.", path, commit
        )
