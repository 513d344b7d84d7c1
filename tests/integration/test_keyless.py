"""Identities instead of keys, end to end against a Sigstore on loopback."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import gitmodel
from tests.support.robot import ROBOT, Robot, admit, trust
from tests.support.sigstore_local import GITHUB, LocalSigstore
from tests.support.terminal import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workbench import Workbench

WORKFLOW = "acme/models/.github/workflows/release.yml@refs/heads/main"
MODES = [(1, False), (1, True), (2, True)]
_CI = ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "GOOGLE_SERVICE_ACCOUNT")
_OFFLINE = """
import sys
def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        raise PermissionError(f"{event}: {args}")
sys.addaudithook(refuse)
from gitmodel.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
_LOADED = """
import sys
from gitmodel.cli.main import run
for command in sys.argv[2:]:
    assert run(["-C", sys.argv[1], *command.split()]) == 0, command
heavy = {"sigstore", "tuf", "requests", "pydantic", "cryptography.x509"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def _python(code: str, *args: str | Path, **env: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("rekor", "tsa"), MODES)
def test_a_robot_publishes_and_promotes_and_all_is_proved_offline(
    robot: Robot, rekor: int, tsa: bool
) -> None:
    robot = dataclasses.replace(robot, rekor=rekor, tsa=tsa)
    file = robot.bench.file("model.bin", b"by a robot")
    robot.do("register", "spam", file, "--version", "1.0.0", "--no-capture")
    assert robot.do("promote", "spam@1.0.0", "dev")["status"] == "promoted"
    with robot.sigstore.down():
        assert robot.bench.verify("--history", "--full") == (0, [])
        code, out, err = _python(
            _OFFLINE, "-C", robot.bench.path, "--json", "verify", "--history", "--full",
            HOME="/nonexistent", GIT_CONFIG_NOSYSTEM="1",
        )  # fmt: skip
    assert (code, json.loads(out)["problems"]) == (0, []), err


def test_a_robot_signs_documents_and_not_commits(robot: Robot) -> None:
    robot.do("promote", "fraud@1.0.0", "dev")
    assert robot.bench.git("log", "-1", "--format=%G?") == "N"
    [event] = robot.bench.do("log", "fraud", "--stage", "dev")["events"]
    assert event["actor"] == "robot"
    assert robot.bench.live("fraud", "dev") == "1.0.0"


def test_the_stock_tool_verifies_what_a_robot_published(robot: Robot) -> None:
    file = robot.bench.file("model.bin", b"by a robot")
    robot.do("register", "spam", file, "--version", "1.0.0", "--no-capture")
    pulled = robot.bench.outside / "pulled"
    with robot.sigstore.down():
        robot.bench.do("pull", "spam@1.0.0", "-o", pulled)
        done = subprocess.run(
            [
                sys.executable, "-m", "model_signing", "verify", "sigstore", pulled,
                "--signature", pulled / "model.sig", "--trust_config", robot.config,
                "--identity", ROBOT, "--identity_provider", robot.sigstore.issuer,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_robot_approves_what_a_person_asked_for(robot: Robot) -> None:
    bench = robot.bench
    bench.do("policy", "require", "dev", "--approvals", "1")
    assert bench.do("promote", "fraud@1.0.0", "dev")["status"] == "pending"
    assert robot.do("approve", "fraud#dev")["approvals"] == ["robot"]
    assert bench.do("promote", "--finalize", "fraud#dev")["status"] == "promoted"
    assert bench.verify("--history", "--full") == (0, [])


def test_a_person_approves_what_a_robot_asked_for(robot: Robot) -> None:
    bench = robot.bench
    bench.do("policy", "require", "dev", "--approvals", "1")
    assert robot.do("promote", "fraud@1.0.0", "dev")["status"] == "pending"
    answer = robot.run("approve", "fraud#dev")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_SELF_APPROVAL")
    bench.do("approve", "fraud#dev")
    assert robot.do("promote", "--finalize", "fraud#dev")["status"] == "promoted"
    assert bench.verify("--history", "--full") == (0, [])


def test_an_identity_can_be_a_root(robot: Robot) -> None:
    robot.bench.do("policy", "grant", "robot", "root")
    robot.do("policy", "revoke", "ada", "promoter")
    assert robot.bench.run("promote", "fraud@1.0.0", "dev").code == 3
    assert robot.bench.verify("--history", "--full") == (0, [])


def test_a_robot_has_only_the_roles_that_it_was_given(robot: Robot) -> None:
    before = robot.bench.snapshot()
    answer = robot.run("policy", "grant", "robot", "root")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_ROLE")
    assert robot.bench.snapshot() == before


@pytest.mark.parametrize(
    ("subject", "issuer"),
    [
        ("mallory@example.com", ""),
        (ROBOT, "https://login.example.org"),
        (ROBOT.upper(), ""),
        (f"{ROBOT} ", ""),
    ],
)
def test_only_the_very_identity_signs(robot: Robot, subject: str, issuer: str) -> None:
    """Attack 43: a token of another workflow, or by another issuer."""
    before, certified = robot.bench.snapshot(), robot.sigstore.certified
    thief = dataclasses.replace(robot, subject=subject, issuer=issuer)
    answer = thief.run("promote", "fraud@1.0.0", "dev")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_IDENTITY")
    assert robot.bench.snapshot() == before
    assert robot.sigstore.certified == certified


def test_another_sigstore_is_refused_before_anything_is_written(robot: Robot) -> None:
    before = robot.bench.snapshot()
    with LocalSigstore() as other:
        thief = dataclasses.replace(robot, sigstore=other)
        answer = thief.run("promote", "fraud@1.0.0", "dev")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_TRUST_ROOT")
    assert robot.bench.snapshot() == before


def test_a_dry_run_tells_the_log_nothing(robot: Robot) -> None:
    certified, entries = robot.sigstore.certified, len(robot.sigstore.rekor1.log.leaves)
    before = robot.bench.snapshot()
    assert (
        robot.do("promote", "fraud@1.0.0", "dev", "--dry-run")["status"] == "promoted"
    )
    file = robot.bench.file("m.bin", b"dry")
    robot.do("register", "spam", file, "--no-capture", "--dry-run")
    assert robot.sigstore.certified == certified
    assert len(robot.sigstore.rekor1.log.leaves) == entries
    assert robot.bench.snapshot() == before


def test_a_sigstore_that_is_gone_stops_signing_and_changes_nothing(
    robot: Robot,
) -> None:
    before = robot.bench.snapshot()
    with robot.sigstore.down():
        answer = robot.run("promote", "fraud@1.0.0", "dev")
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_SIGSTORE")
    assert robot.bench.snapshot() == before


def test_an_expired_token_is_refused_and_never_quoted(robot: Robot) -> None:
    token = robot.sigstore.token(ROBOT, life=-60)
    answer = gitmodel(
        "--json", "--identity-token", token, "--trust-config", robot.config,
        "promote", "fraud@1.0.0", "dev", cwd=robot.bench.path,
    )  # fmt: skip
    assert (answer.code, answer.json["error"]["code"]) == (2, "E_TOKEN")
    assert token not in answer.err + answer.out


def test_a_token_comes_from_stdin_or_the_environment(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITMODEL_TRUST_CONFIG", str(robot.config))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{robot.token}\n"))
    robot.bench.do("--identity-token", "-", "promote", "fraud@1.0.0", "dev")
    monkeypatch.setenv("GITMODEL_IDENTITY_TOKEN", robot.token)
    robot.bench.do("promote", "fraud@1.0.0", "staging")
    events = robot.bench.do("log", "fraud")["events"]
    assert [event["actor"] for event in events if event["stage"]] == ["robot", "robot"]


def test_a_key_and_an_identity_exclude_each_other(robot: Robot) -> None:
    assert robot.run("--key", "k", "promote", "fraud@1.0.0", "dev").code == 2


def test_a_github_job_signs_as_its_workflow(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = f"https://github.com/{WORKFLOW}"
    admit(robot.bench, "ci", GITHUB, workflow, "promoter")
    for name, value in robot.sigstore.github_environment(WORKFLOW).items():
        monkeypatch.setenv(name, value)
    options = ("--keyless", "--trust-config", robot.config)
    robot.bench.do(*options, "promote", "fraud@1.0.0", "dev")
    assert robot.bench.verify("--history", "--full") == (0, [])
    other = WORKFLOW.replace("main", "feature")
    for name, value in robot.sigstore.github_environment(other).items():
        monkeypatch.setenv(name, value)
    answer = robot.bench.run("--json", *options, "promote", "fraud@1.0.0", "staging")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_IDENTITY")


def test_a_github_job_that_may_not_ask_for_a_token_is_told_so(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    answer = robot.bench.run("--json", "--keyless", "promote", "fraud@1.0.0", "dev")
    assert (answer.code, answer.json["error"]["code"]) == (5, "E_SIGSTORE")
    assert "id-token: write" in answer.err


def test_a_gitlab_job_signs_as_its_pipeline(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, ref = (
        "https://gitlab.com",
        "gitlab.com/acme/m//.gitlab-ci.yml@refs/heads/main",
    )
    admit(robot.bench, "ci", issuer, f"https://{ref}", "promoter")
    for name in _CI:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITLAB_CI", "true")
    token = robot.sigstore.token("project:acme", issuer=issuer, ci_config_ref_uri=ref)
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", token)
    options = ("--keyless", "--trust-config", robot.config)
    robot.bench.do(*options, "promote", "fraud@1.0.0", "dev")
    assert robot.bench.verify("--history", "--full") == (0, [])


def test_without_any_identity_nobody_waits_for_a_browser(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in _CI:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    answer = robot.bench.run("--json", "--keyless", "promote", "fraud@1.0.0", "dev")
    assert (answer.code, answer.json["error"]["code"]) == (1, "E_NO_IDENTITY")


def test_an_identity_has_one_owner(robot: Robot) -> None:
    before = robot.bench.snapshot()
    identity = f"{robot.sigstore.issuer}={ROBOT}"
    answer = robot.bench.run(
        "--json", "policy", "add-principal", "eve", "--identity", identity
    )
    assert answer.code == 1
    assert answer.json["error"]["code"] == "E_IDENTITY_SHARED_BY_PRINCIPALS"
    assert robot.bench.snapshot() == before


def test_an_identity_without_a_trusted_root_is_refused(bench: Workbench) -> None:
    before = bench.snapshot()
    answer = bench.run("--json", "policy", "add-principal", "eve", "--identity", "a=b")
    assert (answer.code, answer.json["error"]["code"]) == (3, "E_TRUST_ROOT")
    assert bench.snapshot() == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trustedRoot": {}}', "\udcff"])
def test_what_is_no_trusted_root_cannot_be_pinned(bench: Workbench, text: str) -> None:
    before = bench.snapshot()
    file = bench.file("root.json", text.encode("utf-8", "surrogateescape"))
    assert bench.run("policy", "trust-root", file).code == 2
    assert bench.snapshot() == before


def test_a_trust_configuration_pins_the_root_that_it_contains(
    bench: Workbench, sigstore: LocalSigstore
) -> None:
    config = json.dumps(sigstore.trust_config(rekor=2, tsa=True)).encode()
    made = bench.do("policy", "trust-root", bench.file("config.json", config))
    digest = made["policy"]["sigstore"]["trustedRoot"].removeprefix("sha256:")
    file = bench.path / f".gitmodel/trusted_roots/{digest}.json"
    assert json.loads(file.read_bytes()) == sigstore.trusted_root()
    assert bench.verify("--history", "--full") == (0, [])


def test_who_was_removed_signs_no_more_and_what_was_signed_stays_good(
    robot: Robot,
) -> None:
    robot.do("promote", "fraud@1.0.0", "dev")
    late = robot.bench.copy(robot.bench.outside / "late")
    dataclasses.replace(robot, bench=late).do("promote", "fraud@1.0.0", "staging")
    spare = f"{robot.sigstore.issuer}=spare@example.com"
    robot.bench.do("policy", "add-principal", "robot", "--identity", spare)
    gone = f"{robot.sigstore.issuer}={ROBOT}"
    robot.bench.do("policy", "remove-principal", "robot", "--identity", gone)
    assert robot.run("promote", "fraud@1.0.0", "staging").code == 3
    assert robot.bench.verify("--history", "--full") == (0, [])
    _graft(robot.bench, _new_files(late))
    code, problems = robot.bench.verify("--history", "--no-bytes")
    assert code == 4
    assert "E_IDENTITY" in problems


def test_the_only_identity_of_a_principal_is_not_taken_away(robot: Robot) -> None:
    gone = f"{robot.sigstore.issuer}={ROBOT}"
    answer = robot.bench.run("policy", "remove-principal", "robot", "--identity", gone)
    assert answer.code == 3


def test_a_new_trusted_root_replaces_the_old_and_keeps_what_it_proved(
    robot: Robot,
) -> None:
    robot.do("promote", "fraud@1.0.0", "dev")
    with LocalSigstore() as other:
        trust(robot.bench, other)
        old = robot.run("promote", "fraud@1.0.0", "staging")
        assert (old.code, old.json["error"]["code"]) == (3, "E_TRUST_ROOT")
        new = dataclasses.replace(robot, sigstore=other)
        admit(robot.bench, "robot", other.issuer, "other@example.com")
        new.do("promote", "fraud@1.0.0", "staging")
    assert robot.bench.verify("--history", "--full") == (0, [])


def test_a_trusted_root_never_changes(robot: Robot) -> None:
    [file] = (robot.bench.path / ".gitmodel/trusted_roots").iterdir()
    name = f".gitmodel/trusted_roots/{file.name}"
    with LocalSigstore() as other:
        mine = json.dumps(other.trusted_root()).encode()
    robot.do("promote", "fraud@1.0.0", "dev")
    robot.bench.commit_file(name, mine)
    code, problems = robot.bench.verify("--history", "--no-bytes")
    assert code == 4
    assert {"E_APPEND_ONLY", "E_TRUST_ROOT"} <= set(problems)


def test_a_trusted_root_that_no_policy_pins_is_refused(robot: Robot) -> None:
    [file] = (robot.bench.path / ".gitmodel/trusted_roots").iterdir()
    name = f".gitmodel/trusted_roots/{'ab' * 32}.json"
    robot.bench.commit_file(name, file.read_bytes())
    code, problems = robot.bench.verify("--history", "--no-bytes")
    assert code == 4
    assert {"E_EXTRA_FILE", "E_TRUST_ROOT"} <= set(problems)


def test_keys_never_load_sigstore(bench: Workbench, home: Path) -> None:
    """Import alone would triple the time of every command and hook."""
    bench.register()
    env = {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / "gitconfig")}
    commands = (
        "promote fraud@1.0.0 dev", "verify --history --full", "policy show",
        "policy grant ada auditor", "list", "show fraud", "check fraud --stage staging",
    )  # fmt: skip
    code, _, err = _python(_LOADED, bench.path, *commands, **env)
    assert code == 0, err
    assert err.splitlines()[-1] == "[]"


# Forgeries: a transition that the robot promoted, with another signature beside it.


def _another_identity(robot: Robot, bundle: Any, payload: bytes) -> Any:
    del bundle
    return dataclasses.replace(robot, subject="mallory@example.com").sign(payload)[1]


def _another_issuer(robot: Robot, bundle: Any, payload: bytes) -> Any:
    del bundle
    return dataclasses.replace(robot, issuer="https://evil.example").sign(payload)[1]


def _another_sigstore(robot: Robot, bundle: Any, payload: bytes) -> Any:
    """Attack 44: the same identity, certified by an instance of one's own."""
    del bundle
    with LocalSigstore() as other:
        return dataclasses.replace(robot, sigstore=other).sign(payload)[1]


def _another_sigstore_with_timestamps(robot: Robot, bundle: Any, payload: bytes) -> Any:
    v2 = dataclasses.replace(robot, rekor=2, tsa=True)
    return _another_sigstore(v2, bundle, payload)


def _two_names(robot: Robot, bundle: Any, payload: bytes) -> Any:
    """Return a signature that is by the robot, or by mallory, as one reads it."""
    del bundle
    from cryptography import x509  # noqa: PLC0415

    from tests.support.sigstore_local.fulcio import names_of  # noqa: PLC0415

    fulcio = robot.sigstore.fulcio
    fulcio.names_of = lambda claims: [
        *names_of(claims), x509.RFC822Name("mallory@example.com")
    ]  # fmt: skip
    try:
        return _unchecked(robot, payload)
    finally:
        fulcio.names_of = names_of


def _unchecked(robot: Robot, payload: bytes) -> Any:
    """Sign through Sigstore's own client, without our look at the result."""
    from sigstore.dsse import Statement  # noqa: PLC0415
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415
    from sigstore.oidc import IdentityToken  # noqa: PLC0415
    from sigstore.sign import SigningContext  # noqa: PLC0415

    config = ClientTrustConfig.from_json(robot.config.read_text())
    context = SigningContext.from_trust_config(config)
    with context.signer(IdentityToken(robot.token)) as signer:
        return json.loads(signer.sign_dsse(Statement(payload)).to_json())


def _other_payload(robot: Robot, bundle: Any, payload: bytes) -> Any:
    from tests.support.sigstore_local.material import b64  # noqa: PLC0415

    del robot
    changed = payload.replace(b'"comment":""', b'"comment":"!"')
    assert changed != payload
    bundle["dsseEnvelope"]["payload"] = b64(changed)
    return bundle


def _other_log_entry(robot: Robot, bundle: Any, payload: bytes) -> Any:
    other = robot.sign(payload.replace(b'"comment":""', b'"comment":"!"'))[1]
    entries = other["verificationMaterial"]["tlogEntries"]
    bundle["verificationMaterial"]["tlogEntries"] = entries
    return bundle


def _other_certificate(robot: Robot, bundle: Any, payload: bytes) -> Any:
    other = robot.sign(payload)[1]
    certificate = other["verificationMaterial"]["certificate"]
    bundle["verificationMaterial"]["certificate"] = certificate
    return bundle


def _logged_too_late(robot: Robot, bundle: Any, payload: bytes) -> Any:
    """Return what the log says it saw when the certificate had long expired."""
    import base64  # noqa: PLC0415

    del payload
    [entry] = bundle["verificationMaterial"]["tlogEntries"]
    late = int(entry["integratedTime"]) + 86_400
    body = base64.b64decode(entry["canonicalizedBody"])
    promise = robot.sigstore.rekor1.promise(body, late, int(entry["logIndex"]))
    entry["integratedTime"] = str(late)
    entry["inclusionPromise"] = {
        "signedEntryTimestamp": base64.b64encode(promise).decode()
    }
    return bundle


def _backdated(robot: Robot, bundle: Any, payload: bytes) -> Any:
    del robot, payload
    [entry] = bundle["verificationMaterial"]["tlogEntries"]
    entry["integratedTime"] = str(int(entry["integratedTime"]) - 1)
    return bundle


def _no_promise(robot: Robot, bundle: Any, payload: bytes) -> Any:
    del robot, payload
    del bundle["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]
    return bundle


def _no_inclusion(robot: Robot, bundle: Any, payload: bytes) -> Any:
    del robot, payload
    del bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    return bundle


def _no_timestamp(robot: Robot, bundle: Any, payload: bytes) -> Any:
    """Return a bundle of the second log, which has no time of its own."""
    del bundle
    found = dataclasses.replace(robot, rekor=2, tsa=True).sign(payload)[1]
    del found["verificationMaterial"]["timestampVerificationData"]
    return found


def _no_log_entry(robot: Robot, bundle: Any, payload: bytes) -> Any:
    del robot, payload
    bundle["verificationMaterial"]["tlogEntries"] = []
    return bundle


def _key_and_certificate(robot: Robot, bundle: Any, payload: bytes) -> Any:
    del robot, payload
    bundle["verificationMaterial"]["publicKey"] = {"hint": "ab" * 32}
    return bundle


def _no_certificate(robot: Robot, bundle: Any, payload: bytes) -> Any:
    del robot, payload
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = "AAAA"
    return bundle


def _other_statement(robot: Robot, bundle: Any, payload: bytes) -> Any:
    """Attack 40: what the robot signed elsewhere, in another role."""
    del bundle, payload
    file = robot.bench.file("spam.bin", b"spam")
    robot.do("register", "spam", file, "--version", "1.0.0", "--no-capture")
    directory = robot.bench.path / "models/spam/versions/1.0.0"
    [signature] = directory.glob("manifest.yaml.*.sigstore.json")
    return json.loads(signature.read_bytes())


FORGERIES = [
    (_another_identity, "E_IDENTITY"),
    (_another_issuer, "E_IDENTITY"),
    (_two_names, "E_IDENTITY"),
    (_another_sigstore, "E_TRUST_ROOT"),
    (_another_sigstore_with_timestamps, "E_TRUST_ROOT"),
    (_other_payload, "E_SIGNATURE"),
    (_other_log_entry, "E_SIGNATURE"),
    (_other_certificate, "E_SIGNATURE"),
    (_logged_too_late, "E_SIGNATURE"),
    (_backdated, "E_SIGNATURE"),
    (_no_promise, "E_BUNDLE"),
    (_no_inclusion, "E_BUNDLE"),
    (_no_timestamp, "E_BUNDLE"),
    (_no_log_entry, "E_BUNDLE"),
    (_key_and_certificate, "E_BUNDLE"),
    (_no_certificate, "E_BUNDLE"),
    (_other_statement, "E_PREDICATE"),
]


@pytest.mark.parametrize(("forge", "expected"), FORGERIES)
def test_a_forged_signature_is_named_for_what_it_is(
    robot: Robot, forge: Any, expected: str
) -> None:
    work = robot.bench.copy(robot.bench.outside / "work")
    dataclasses.replace(robot, bench=work).do("promote", "fraud@1.0.0", "dev")
    files = _new_files(work)
    [name] = [path for path in files if path.endswith(".sigstore.json")]
    bundle = json.loads(files[name])
    changed = forge(robot, bundle, _payload(bundle))
    files[name] = json.dumps(changed).encode()
    _graft(robot.bench, files)
    for options in (("--history",), ()):
        code, problems = robot.bench.verify("--no-bytes", *options)
        assert code == 4
        assert expected in problems


def _payload(bundle: Any) -> bytes:
    import base64  # noqa: PLC0415

    return base64.b64decode(bundle["dsseEnvelope"]["payload"])


def _new_files(bench: Workbench) -> dict[str, bytes]:
    """Return what the newest commit added."""
    paths = bench.git("show", "--name-only", "--format=", "HEAD").splitlines()
    return {path: (bench.path / path).read_bytes() for path in paths}


def _graft(bench: Workbench, files: dict[str, bytes]) -> None:
    """Commit files with plain git, as an attacker would."""
    for path, data in files.items():
        target = bench.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        bench.git("add", "-f", "--", path)
    bench.git("commit", "-qm", "by hand")
