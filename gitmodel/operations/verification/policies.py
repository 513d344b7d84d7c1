"""The policies in a tree: schema, and each signed to the threshold of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitmodel.operations.verification.documents import verify_plain
from gitmodel.operations.verification.ledger import Ledger
from gitmodel.operations.verification.policy_step import judge_policy
from gitmodel.operations.verification.trusted_roots import verify_trusted_roots
from gitmodel.registry import layout
from gitmodel.registry.steps import Step

if TYPE_CHECKING:
    from gitmodel.operations.verification.findings import Findings
    from gitmodel.registry.view import View


def verify_policies(view: View, findings: Findings) -> None:
    """Verify the chain of policies from policy 1 to the one in force."""
    ledger = Ledger(findings, trusted_roots=verify_trusted_roots(view, findings))
    for number in range(1, view.policy_number + 1):
        path = layout.policy_path(number)
        if verify_plain(view, findings, path, "Policy") is None:
            return
        directory = path.rpartition("/")[0]
        paths = [path, *view.signatures_in(directory).get(path, ())]
        blobs = {each: view.blob(each) or b"" for each in paths}
        judge_policy(ledger, Step("", (), blobs), path, layout.classify(path))
