"""An open registry, as every area of the API has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from gitmodel.registry.handle import RegistryHandle


PathLike = str | Path


class Opened:
    """An open registry; use it as a context, or ``close`` it."""

    def __init__(self, handle: RegistryHandle) -> None:
        """Use :func:`open_registry` or :func:`init_registry`."""
        self._handle = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the git process behind it."""
        self._handle.close()

    @property
    def root(self) -> str:
        """The digest that ``verify(root=…)`` wants from somewhere else."""
        return str(self._handle.view().registry_id)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages, in promotion order."""
        return self._handle.view().settings.stages
