"""A company: three people, a robot without a key, and how they put a model into use.

Carol publishes, bob asks, alice and dave approve; a robot attests that a test passed,
by a certificate of minutes from a Sigstore. Ada, the root, only makes the policy. Erin
was a promoter once. Each works on a clone of their own.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.support.cli import Answer, gitmodel
from tests.support.people import Person, hub_of, person
from tests.support.remotes import clone
from tests.support.robot import ROBOT, Robot, admit, trust

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sigstore_local import LocalSigstore
    from tests.support.workbench import Workbench

STAFF = {
    "carol": "publisher",
    "bob": "promoter",
    "alice": "approver",
    "dave": "approver",
    "erin": "promoter",
}
REQUEST = "request/production/fraud"


@dataclass(frozen=True)
class Company:
    """The people, what they share, and what everybody knows.

    Attributes:
        root: Digest of policy 1.
        erins: Digest of the last policy under which erin was a promoter.
    """

    hub: Path
    people: dict[str, Person]
    sigstore: LocalSigstore
    root: str
    erins: str

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def robot(self, *args: str | Path) -> Answer:
        """Run a command as the robot, in its own clone and home."""
        me = self.people["robot"].catch_up()
        with me.at_work():
            return Robot(me.bench, self.sigstore).run(*args)

    def fresh(self, to: Path) -> Workbench:
        """Return what anybody gets from the remote now, with all bytes."""
        return clone(self.hub, to, self.hub.parent / "outside", smudge=True)


def found(place: Path, sigstore: LocalSigstore) -> Company:
    """Make the registry and its policy, and let everybody clone it."""
    people = {name: person(name, place) for name in ("ada", *STAFF, "robot")}
    ada = people["ada"]
    with ada.at_work():
        made = gitmodel(
            "--json", "init", ada.bench.path, "--principal", "ada",
            "--stage", "staging", "--stage", "production",
        )  # fmt: skip
        assert made.code == 0, made.err
    for name, role in STAFF.items():
        key = people[name].make_key()
        ada.do("policy", "add-principal", name, "--key", key, "--role", role)
    erins = ada.do("policy", "show")["digest"]
    ada.do("policy", "remove-principal", "erin")
    with ada.at_work():
        trust(ada.bench, sigstore)
        admit(ada.bench, "robot", sigstore.issuer, ROBOT, "auditor")
    gate = ("--attestation", "test:auditor", "--metric", "test.accuracy>=0.9")
    ada.do("policy", "require", "production", "--approvals", "2", *gate)
    for role in ("publisher", "promoter", "approver"):
        ada.do("policy", "revoke", "ada", role)
    hub = hub_of(ada, place / "hub.git")
    for name in (*STAFF, "robot"):
        people[name].join(hub)
    return Company(hub, people, sigstore, made.json["root"], erins)


def publish(company: Company, version: str) -> None:
    """Let carol publish a version, and bob put it into staging."""
    carol, bob = company["carol"].catch_up(), company["bob"]
    file = carol.bench.file(f"{version}/model.bin", f"fraud {version}".encode() * 50)
    options = ("--version", version, "--no-capture", "--push")
    carol.do("register", "fraud", file, *options)
    bob.catch_up().do("promote", f"fraud@{version}", "staging", "--push")


def ask(company: Company, version: str) -> Answer:
    """Let bob ask for production."""
    return company["bob"].catch_up().run(
        "promote", f"fraud@{version}", "production", "-m", "canary passed", "--push"
    )  # fmt: skip


def attest(company: Company) -> None:
    """Let the robot say of the newest version that its test passed."""
    answer = company.robot("attest", "fraud@latest", "test", "accuracy=0.97", "--push")
    assert answer.code == 0, answer.err


def approve(company: Company, *names: str) -> None:
    """Let people approve what bob asked for, each on their own clone."""
    for name in names:
        company[name].catch_up().do("approve", "fraud#production", "--push")


def copied(bench: Workbench, to: Path) -> Workbench:
    """Return a copy of a clone, to tamper with, which has verified nothing yet."""
    (to / "outside").mkdir(parents=True)
    copy = bench.copy(to / "clone")
    shutil.rmtree(copy.path / ".git/gitmodel", ignore_errors=True)
    return replace(copy, outside=to / "outside")
