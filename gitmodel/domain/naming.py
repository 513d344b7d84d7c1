"""What a registry asks of its models' names, beside what every name must be (R007).

A convention for people, not a rule of trust: it binds names that are new, so that a
registry can adopt one when it has models already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitmodel.errors import InputError

#: A repeated group can take a regular expression for ever, and a registry's settings
#: come from whoever may push; so may many repetitions side by side.
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_REPETITION = re.compile(r"[*+{]")
_MOST_REPETITIONS = 3


@dataclass(frozen=True, slots=True)
class NamingRules:
    """A pattern for the whole name of a model; None for none."""

    model: str | None = None

    def __post_init__(self) -> None:
        if self.model is None:
            return
        try:
            re.compile(self.model)
        except (re.error, OverflowError, RecursionError) as error:
            raise _unusable(f"is no regular expression: {error}") from error
        plain = _ESCAPED.sub("x", self.model)
        repetitions = len(_REPETITION.findall(plain))
        if _REPEATED_GROUP.search(plain) or repetitions > _MOST_REPETITIONS:
            raise _unusable(
                "could take for ever: no group may repeat, and no more than "
                f"{_MOST_REPETITIONS} parts. Write [a-z][a-z0-9-]* and the like"
            )

    def broken_by(self, model: str) -> str:
        """Say how a model's name breaks the rules; "" if it does not."""
        if self.model is None or re.fullmatch(self.model, model):
            return ""
        return f"{model} does not match naming.model of gitmodel.yaml: {self.model}"


def _unusable(why: str) -> InputError:
    return InputError(f"gitmodel.yaml: naming.model {why}.", code="E_SCHEMA")
