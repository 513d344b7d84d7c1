"""A registry that takes reviews of a forge on the loopback device.

ada owns it; bob promotes; carol signs and reviews, dave only reviews, erin only signs;
ci collects. Staging asks for two approvals, and production for two with one of them
direct; dev asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmodel.adapters.signing import keys
from gitmodel.domain.digest import Digest
from gitmodel.formats import yaml_reader, yaml_writer
from gitmodel.registry import layout
from tests.support.cli import gitmodel
from tests.support.forge_server import ForgeServer, github_pull, user
from tests.support.forgery import (
    Forged,
    commit_files,
    read_object,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitmodel.adapters.signing.keys import FileSigner
    from tests.support.cli import Answer
    from tests.support.workbench import Workbench

REPOSITORY = 1296269
#: Accounts at the forge.
BOB, CAROL, DAVE, STRANGER = 20, 30, 40, 99
NUMBER = 7
_PULL = f"/repos/octo/registry/pulls/{NUMBER}"


def build(bench: Workbench, home: Path, forge: ForgeServer) -> None:
    """Make a fresh registry what the module says; keys go into ``home``."""
    for name, account, *roles in (
        ("bob", f"github:{BOB}", "promoter", "approver"),
        ("carol", f"github:{CAROL}", "approver"),
        ("erin", "", "approver"),
        ("ci", "", "collector"),
    ):
        key = home / f"{name}.key"
        assert gitmodel("key", "new", "--out", key).code == 0
        options = [option for role in roles for option in ("--role", role)]
        options += ["--account", account] if account else []
        bench.do("policy", "add-principal", name, "--key", f"{key}.pub", *options)
    bench.do(
        "policy", "add-principal", "dave", "--account", f"github:{DAVE}",
        "--role", "approver",
    )  # fmt: skip
    bench.do("policy", "revoke", "ada", "collector")
    here = f"github@127.0.0.1:{forge.port}:{REPOSITORY}"
    bench.do("policy", "require", "production", "--approvals", "2", "--forge", here)
    bench.do(
        "policy", "require", "staging", "--approvals", "2", "--forge", here,
        "--direct", "0",
    )  # fmt: skip
    bench.do("policy", "require", "dev", "--approvals", "0")
    for version in ("1.0.0", "1.1.0"):
        bench.register(version=version)
        bench.promote(f"fraud@{version}", "dev")


@dataclass(frozen=True)
class Reviewed:
    """The registry, its people, and the forge."""

    bench: Workbench
    home: Path
    forge: ForgeServer

    def run(self, who: str, *args: str | Path) -> Answer:
        """Run a command as somebody."""
        return gitmodel(
            "--json", "--key", self.home / f"{who}.key", *args, cwd=self.bench.path
        )

    def do(self, who: str, *args: str | Path) -> Any:
        answer = self.run(who, *args)
        assert answer.code == 0, f"{args}: {answer.code}\n{answer.err}"
        return answer.json

    def signer(self, who: str) -> FileSigner:
        return keys.load(self.home / f"{who}.key", lambda: None)

    @property
    def where(self) -> tuple[str, ...]:
        """The options that name the forge."""
        return (
            "--forge", "github", "--api", self.forge.url,
            "--repository", "octo/registry",
        )  # fmt: skip

    def ask(self, stage: str = "staging", version: str = "1.0.0") -> str:
        """Let bob ask for a promotion; return the commit that proposes it."""
        asked = self.do("bob", "promote", f"fraud@{version}", stage, "-m", "please")
        assert asked["status"] == "pending"
        self.propose(asked["branch"])
        return str(asked["commit"])

    def tip(self, stage: str = "staging", seq: int = 1) -> str:
        return self.bench.git("rev-parse", f"request/{stage}/fraud/{seq}")

    def propose(self, branch: str, **fields: Any) -> None:
        """Let the forge have a pull request of a branch, by bob, as it is now."""
        head = self.bench.git("rev-parse", branch)
        pull = github_pull(NUMBER, head, user=user(BOB)) | fields
        pull["head"] = {**pull["head"], "ref": branch}
        self.forge.on("GET /repos/octo/registry", {"id": REPOSITORY})
        self.forge.on(f"GET {_PULL}", pull)
        self.reviews()

    def reviews(self, *reviews: Any) -> None:
        """Let the forge have these reviews of the pull request."""
        self.forge.on(f"GET {_PULL}/reviews", list(reviews))

    def pull(self, *states: Any) -> None:
        """Let the forge answer these, in turn, about the pull request."""
        self.forge.on(f"GET {_PULL}", *states)

    def collect(self, *options: str, stage: str = "staging", who: str = "ci") -> Answer:
        """Collect the reviews as ci."""
        return self.run(
            who, "approvals", "collect", f"fraud#{stage}", "--pr", str(NUMBER),
            *self.where, *options,
        )  # fmt: skip

    def collected(self, *options: str, stage: str = "staging") -> Any:
        answer = self.collect(*options, stage=stage)
        assert answer.code == 0, answer.err
        return answer.json

    def document(self, path: str, revision: str) -> Any:
        """Return a document of a revision."""
        text = self.bench.git("show", f"{revision}:{path}") + "\n"
        return yaml_reader.read(text.encode(), path).value

    def land_by_hand(
        self, files: Mapping[str, bytes | None], stage: str = "staging"
    ) -> None:
        """Merge a request as it is, with further files, in one commit of plain git."""
        self.bench.git("merge", "-q", "--squash", f"request/{stage}/fraud/1")
        commit_files(self.bench, files)

    def statement(
        self,
        said: Mapping[str, Any],
        *,
        who: str = "ci",
        stage: str = "staging",
        role: str = "collector",
        number: int = 1,
    ) -> dict[str, bytes | None]:
        """Return a statement about the waiting promotion, true or not, signed."""
        branch = f"request/{stage}/fraud/1"
        oid = self.bench.git("rev-parse", f"{branch}:log/{stage}/fraud/1.yaml")
        transition = Digest.of(read_object(self.bench, "blob", oid))
        policy = self.bench.do("policy", "show")["digest"]
        document = {
            "apiVersion": "gitmodel.dev/v1",
            "kind": "ForgeApproval",
            "number": number,
            "transition": str(transition),
            "forge": "github",
            "host": f"127.0.0.1:{self.forge.port}",
            "repository": REPOSITORY,
            "pullRequest": NUMBER,
            "author": BOB,
            "head": self.bench.git("rev-parse", branch),
            "unchanged": [],
            "reviews": [],
            "collector": who,
            "collectedAt": "2026-02-14T15:00:00Z",
            **said,
        }
        path = layout.forge_approval_path(stage, "fraud", 1, number)
        claim = Forged(kind="forge-approval", role=role, policy=Digest.parse(policy))
        found = signed(
            self.bench, path, yaml_writer.dump(document), claim, self.signer(who)
        )
        return dict(found)

    def said(self, account: int, **fields: Any) -> dict[str, Any]:
        """Return an approval of what waits for staging, as statements have it."""
        return self.said_of(account, self.tip()) | fields

    def said_of(self, account: int, commit: str) -> dict[str, Any]:
        """Return an approval of a commit, as statements have it."""
        return {
            "id": account,
            "user": account,
            "bot": False,
            "state": "approved",
            "commit": commit,
            "submittedAt": "2026-02-14T14:03:00Z",
        }
