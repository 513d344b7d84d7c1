"""What counts as a credential, and what people write that only looks like one."""

from __future__ import annotations

import pytest

from gitmodel.formats.secret_scan import MAX_BYTES, find_secrets

# In two parts each, so that no tool takes this file for one that leaks them.
SECRETS = {
    "an OpenSSH key": ("-----BEGIN OPENSSH PRI", "VATE KEY-----"),
    "a PKCS#8 key": ("-----BEGIN PRI", "VATE KEY-----"),
    "an encrypted key": ("-----BEGIN ENCRYPTED PRI", "VATE KEY-----"),
    "a PGP key": ("-----BEGIN PGP PRI", "VATE KEY BLOCK-----"),
    "AWS": ("AKIA", "IOSFODNN7EXAMPLE"),
    "GitHub": ("ghp_", "a1B2" * 9),
    "GitHub, fine-grained": ("github_pat_", "11AAAAAAA0" * 5),
    "GitLab": ("glpat-", "abcdefghij0123456789"),
    "Hugging Face": ("hf_", "aB" * 17),
    "Slack": ("xoxb-", "123456789012-abcdefghijkl"),
    "Google": ("AIza", "S" * 35),
    "OpenAI": ("sk-proj-", "a1" * 24),
    "Anthropic": ("sk-ant-", "api03-" + "a1" * 24),
    "PyPI": ("pypi-", "AgEIcHlwaS5vcmc" + "A" * 50),
    "npm": ("npm_", "aB1c" * 9),
    "Stripe": ("sk_live_", "a1B2" * 6),
    "JWT": ("eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + "dozjgNryP4J3jVmNHl0w5N"),
}
FINE = (
    b"-----BEGIN PUBLIC KEY-----\n",
    b"-----BEGIN CERTIFICATE-----\n",
    b"the file starts with BEGIN PRIVATE KEY\n",
    b"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n",
    b"hf_hub_download(repo_id='x')\n",
    b"export OPENAI_API_KEY=$OPENAI_API_KEY\n",
    b"ghp_short\n",
    b"keyid: 8279ddec\n",
)


@pytest.mark.parametrize("parts", SECRETS.values(), ids=SECRETS)
def test_a_credential_is_found_on_its_line(parts: tuple[str, str]) -> None:
    text = f"# a file\nvalue: '{''.join(parts)}'\nmore\n".encode()
    [found] = find_secrets(text)
    assert found.line == 2
    assert found.what.startswith(("a ", "an "))
    assert parts[1] not in found.what


@pytest.mark.parametrize("text", FINE)
def test_what_is_no_credential_is_not_found(text: bytes) -> None:
    assert find_secrets(text) == ()


def test_every_line_is_told_and_one_may_be_allowed() -> None:
    token = b"".join(part.encode() for part in SECRETS["GitHub"])
    lines = [token, b"ok", token + b" # gitleaks:allow", token]
    assert [found.line for found in find_secrets(b"\n".join(lines))] == [1, 4]
    allowed = token + b"  # pragma: allowlist secret"
    assert find_secrets(allowed) == ()


def test_data_is_not_text() -> None:
    token = b"".join(part.encode() for part in SECRETS["GitHub"])
    assert find_secrets(b"\0" + token) == ()
    assert find_secrets(token + b"\n" * MAX_BYTES) == ()
