"""The guide to identities happens as it is told, against a Sigstore on loopback."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.support import transcript
from tests.support.sigstore_local import LocalSigstore
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs/guides/keyless.md").read_text()
_WHO = re.compile(r"<!-- as: (.+) -->")
_NOBODY = (
    "GITMODEL_IDENTITY_TOKEN", "GITHUB_ACTIONS", "GITLAB_CI", "SIGSTORE_ID_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)  # fmt: skip


@pytest.fixture
def renewed() -> Iterator[LocalSigstore]:
    with LocalSigstore() as running:
        yield running


def _variables(who: str, sigstore: LocalSigstore) -> dict[str, str]:
    """Return what a signer's surroundings have; comments of the page name them."""
    kind, _, name = who.partition(" ")
    if kind == "GitHub":
        return sigstore.github_environment(name)
    if kind == "GitLab":
        token = sigstore.token(
            "a job", issuer="https://gitlab.com", ci_config_ref_uri=name
        )
        return {"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": token}
    if "@" in who:
        return {"GITMODEL_IDENTITY_TOKEN": sigstore.token(who)}
    return {}


def _steps(
    page: str, sigstore: LocalSigstore, renewed: LocalSigstore
) -> list[transcript.Step]:
    """Return the commands of a page, each in its signer's surroundings."""
    found = transcript.steps(page[: _WHO.search(page).start()])  # type: ignore[union-attr]
    parts = _WHO.split(page)[1:]
    for who, text in zip(parts[::2], parts[1::2], strict=True):
        name, _, later = who.partition(", renewed")
        del later
        variables = _variables(name, renewed if name != who else sigstore)
        exports = "".join(
            f"export {key}={shlex.quote(value)}; " for key, value in variables.items()
        )
        prefix = f"unset {' '.join(_NOBODY)}; {exports}"
        found += [
            transcript.Step(prefix + step.command, step.shown)
            for step in transcript.steps(text)
        ]
    return found


def _rehearse(steps: list[transcript.Step], cwd: Path) -> None:
    assert steps
    for ran in transcript.run(steps, cwd):
        shown, printed = "\n".join(ran.step.shown), "\n".join(ran.lines)
        assert ran.as_shown, f"$ {ran.step.command}\n{printed}\n-- shown as --\n{shown}"


def test_the_guide_to_identities_happens_as_it_is_told(
    sigstore: LocalSigstore, renewed: LocalSigstore, tmp_path: Path
) -> None:
    here = tmp_path / "guide"
    here.mkdir()
    for name, service in (("sigstore", sigstore), ("sigstore-renewed", renewed)):
        (here / f"{name}.json").write_text(json.dumps(service.trust_config()))
    with_network, mark, rest = PAGE.partition("<!-- as: nobody, without a network -->")
    offline, heading, last = rest.partition("## From the first day")
    assert mark
    assert heading
    _rehearse(_steps(with_network, sigstore, renewed), here)
    with sigstore.down(), renewed.down():
        _rehearse(transcript.steps(offline), here / "registry")
    config = f"export GITMODEL_TRUST_CONFIG={here}/sigstore.json; "
    [founding] = _steps(last, sigstore, renewed)
    _rehearse(
        [transcript.Step(config + founding.command, founding.shown)], here / "registry"
    )
