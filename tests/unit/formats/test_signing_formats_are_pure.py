from __future__ import annotations

import subprocess
import sys

MODULES = ["bundle", "canonical_json", "commit_object", "oms", "sshsig", "statement"]


def test_no_cryptography_behind_the_codecs() -> None:
    code = (
        f"import sys; {'; '.join(f'import gitmodel.formats.{m}' for m in MODULES)}; "
        "print([m for m in ('cryptography', 'sigstore', 'ruamel', 'subprocess') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
