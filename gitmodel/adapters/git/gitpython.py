"""GitPython, imported so that nothing around can stop it.

Importing it runs ``git version`` in the environment as it is, and fails if that
fails: where git is missing, or where a hook left a variable behind. Whoever needs git
finds out soon enough, and says so better.
"""

from __future__ import annotations

import os

from gitmodel.adapters.environment import STRAYS

__all__ = ["GitCommandError", "git"]

with STRAYS.hidden():
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"
    try:
        import git
        from git.exc import GitCommandError
    finally:
        del os.environ["GIT_PYTHON_REFRESH"]
