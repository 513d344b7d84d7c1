"""What a failure of git-lfs means, and what can be done about it.

git-lfs has one exit status for all: what it says and the HTTP statuses that it was
given tell failures apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitmodel.adapters.lfs.store import E_DIGEST, E_MISSING
from gitmodel.errors import GitmodelError, IntegrityError, NotFoundError, OutsideError

if TYPE_CHECKING:
    from gitmodel.adapters.lfs.client import Ran

#: Lines of git-lfs that say what it does, or only that it failed.
_CHATTER = (
    "fetch:", "push:", "Uploading", "Downloading", "error: failed to", "hint:",
    "Errors logged to", "Use `git lfs logs", "fatal: could not read", "Check that",
)  # fmt: skip
_PREFIXES = re.compile(
    r"^(batch response: |cannot write data to temporary file \"[^\"]*\": |LFS: "
    r"|Fatal error: )+"
)
#: What 3.x prints of an address where it means to print the address.
_GARBLED = re.compile(r"\s*&\{%!.*?\}s\(MISSING\)")
#: What of an address is a secret: the password, and the signature of a signed one.
_SECRETS = re.compile(r"(?<=://)[^\s/@]*@|(?<=\S)\?[^\s\"']*(?=[=&])[^\s\"']*")
_NOT_THERE = re.compile(
    r"\[4(04|10)\]|object not found|does not exist on the server|remote missing object"
)
_OTHER_BYTES = re.compile(r"expected OID|invalid hash|\[422\]")
_NEITHER = re.compile(r"\(missing\)|Unable to find source|missing or corrupt")
_NO_ENTRY = re.compile(r"credentials for .* not found|Authorization error|\[40[13]\]")
# Not a time-out: git-lfs has waited for several of them by then.
_PASSES = re.compile(
    r"\[(429|50[0234])\]|\bEOF\b|connection (reset|refused)|broken pipe"
    "|network is unreachable",
    re.IGNORECASE,
)
_NOWHERE, _MALFORMED = 404, 422
_ENDPOINT = "git lfs env  shows which server is asked;  gitmodel doctor  asks it too."


class LfsError(OutsideError):
    """git-lfs, or the server that it talked to, failed."""

    default_code = "E_LFS"


def passes(ran: Ran) -> bool:
    """Say whether trying again soon is likely to help."""
    if _OTHER_BYTES.search(ran.said) or ran.silent:
        return False
    return ran.refusal in {429, 500, 502, 503, 504} or bool(_PASSES.search(ran.said))


def is_other_bytes(ran: Ran) -> bool:
    """Say whether what came was not what was asked for."""
    return bool(_OTHER_BYTES.search(ran.said))


def is_no_entry(ran: Ran) -> bool:
    """Say whether the server wants to know who asks, or refuses who does."""
    return ran.refusal in {401, 403} or bool(_NO_ENTRY.search(ran.said))


def of_fetch(ran: Ran, remote: str, seconds: float) -> GitmodelError:
    """Explain a download that failed; ``seconds`` is the silence that was borne."""
    reason = _reason(ran)
    whole = "batch response" in ran.said  # of the request, and not of one object
    if is_other_bytes(ran) or (ran.refusal == _MALFORMED and not whole):
        return IntegrityError(
            f"The LFS server of {remote} sent other bytes than were asked for: "
            f"{reason}",
            "Nothing of it was kept. Tell whoever runs the server; another clone "
            "may still have the right bytes:  git lfs push --all REMOTE .",
            code=E_DIGEST,
        )
    if _NOT_THERE.search(ran.said) or ran.refusal in {404, 410}:
        return NotFoundError(
            f"The LFS server of {remote} does not have it"
            f"{', or none is there' if whole else ''}: {reason}",
            "git lfs env  shows which server was asked;  git lfs push --all "
            "REMOTE  in a clone that has the bytes uploads them.",
            code=E_MISSING,
        )
    return _of_either(ran, remote, "fetch", reason, seconds)


def of_push(ran: Ran, remote: str, seconds: float) -> GitmodelError:
    """Explain an upload that failed; ``seconds`` is the silence that was borne."""
    reason = _reason(ran)
    if ran.refusal in {413, 507}:
        return LfsError(
            f"The LFS server of {remote} has no room for the artifacts: {reason}",
            "No commit was pushed. Ask whoever runs the server for a larger limit or "
            "quota, then run the command again; what has arrived is not sent twice.",
            code="E_LFS_FULL",
        )
    return _of_either(ran, remote, "push", reason, seconds)


def of_lost_upload(ran: Ran, remote: str) -> GitmodelError:
    """Explain that a server has not what it was just sent, and did not say why."""
    status = f" (HTTP {ran.refusal})" if ran.refusal else ""
    return LfsError(
        f"The LFS server of {remote} was sent artifacts and has them not{status}.",
        "No commit was pushed. Look at the log of the server; where its store refuses "
        "a Content-Type,  git config lfs.contenttype false  leaves it out.",
        _ENDPOINT,
    )


def of_pre_push(ran: Ran, remote: str, seconds: float) -> GitmodelError:
    """Explain a hook's upload, for which missing here may be there."""
    if _NEITHER.search(ran.said):
        return NotFoundError(
            f"LFS objects of these commits are neither here nor on {remote}: "
            f"{_reason(ran)}",
            "git lfs fetch --all OTHER-REMOTE  brings them from one that has them.",
            code=E_MISSING,
        )
    return of_push(ran, remote, seconds)


def _of_either(
    ran: Ran, remote: str, verb: str, reason: str, seconds: float
) -> GitmodelError:
    if ran.silent:
        return LfsError(
            f"The LFS server of {remote} went silent: nothing came for {seconds:.0f} "
            "seconds.",
            "Run the command again: it goes on from where it was.",
            _ENDPOINT,
        )
    if is_no_entry(ran):
        return LfsError(
            f"The LFS server of {remote} lets you in only with other credentials: "
            f"{reason}",
            "git config credential.helper  shows who keeps your passwords;  "
            "GIT_TERMINAL_PROMPT=1  lets git ask for one.",
            _ENDPOINT,
            code="E_LFS_AUTH",
        )
    if ran.refusal == _NOWHERE:
        return LfsError(
            f"There is no LFS server where {remote} should have one, or it hides "
            f"itself from you: {reason}",
            "git config lfs.url URL  names the server.",
            _ENDPOINT,
        )
    return LfsError(f"git lfs {verb} failed: {reason}", _ENDPOINT)


def _reason(ran: Ran) -> str:
    """Return the line of git-lfs that says why, in readable form."""
    lines = [line.strip() for line in ran.said.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(_CHATTER)]
    line = (telling or lines or ["it does not say why"])[0]
    line = _SECRETS.sub("", _GARBLED.sub("", _PREFIXES.sub("", line)))
    status = ran.refusal
    if status is None or str(status) in line:
        return line
    return f"{line} (HTTP {status})"
