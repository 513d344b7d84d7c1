"""The ways in which gitmodel can fail, as its callers see them.

An exit code says who has to act (``design`` §5): 1 cannot, 2 malformed input,
3 refused by policy, 4 integrity, 5 the outside world. ``code`` is the stable
name that scripts match on; ``hints`` say what to run next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class GitmodelError(Exception):
    """Base of every expected failure: one sentence, hints, and problems."""

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "E_CANNOT"

    def __init__(
        self,
        message: str,
        *hints: str,
        code: str | None = None,
        problems: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hints = hints
        self.code = code or self.default_code
        self.problems = tuple(problems)

    @property
    def hint(self) -> str:
        """The first hint, for where there is room for one; "" if there is none."""
        return self.hints[0].rstrip(";") if self.hints else ""


class NotFoundError(GitmodelError):
    """What was asked for does not exist here."""

    default_code = "E_NOT_FOUND"


class ConflictError(GitmodelError):
    """It exists already, or someone else moved first."""

    default_code = "E_CONFLICT"


class InputError(GitmodelError):
    """The arguments or a file given by the caller are malformed."""

    exit_code = 2
    default_code = "E_INPUT"


class RefusedError(GitmodelError):
    """The policy, or one of its gates, says no."""

    exit_code = 3
    default_code = "E_REFUSED"


class IntegrityError(GitmodelError):
    """Bytes, digests, signatures or history are not what they must be."""

    exit_code = 4
    default_code = "E_INTEGRITY"


class OutsideError(GitmodelError):
    """git, git-lfs, the file system or the network failed."""

    exit_code = 5
    default_code = "E_OUTSIDE"
