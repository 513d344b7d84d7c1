"""What CI systems evaluate themselves: GitHub's expressions, and GitLab's rules.

Only what our templates use; anything else is an error, so that a template cannot use
what its test does not understand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOKEN = re.compile(
    r"\s*(?:(?P<op>&&|\|\||==|!=|!|\(|\)|,)|'(?P<text>[^']*)'|\"(?P<quoted>[^\"]*)\""
    r"|(?P<name>\$?[A-Za-z_][\w.\[\]-]*))"
)
_PLACEHOLDER = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_WHOLE = re.compile(r"\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*", re.DOTALL)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        assert match is not None, f"not understood: {text[place:]}"
        kind = "text" if match.lastgroup == "quoted" else str(match.lastgroup)
        found.append((kind, match[match.lastgroup or 0]))
        place = match.end()
    return found


class _Reader:
    """Evaluates by recursive descent: or, and, comparison, not, value."""

    def __init__(
        self,
        text: str,
        look_up: Callable[[str], Any],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self._tokens = _tokens(text)
        self._look_up = look_up
        self._functions = functions

    def _next(self, *ops: str) -> bool:
        if self._tokens and self._tokens[0][0] == "op" and self._tokens[0][1] in ops:
            self._tokens.pop(0)
            return True
        return False

    def whole(self) -> Any:
        value = self._either()
        assert not self._tokens, f"not understood: {self._tokens}"
        return value

    def _either(self) -> Any:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._next("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._single()
        if self._next("=="):
            return value == self._single()
        if self._next("!="):
            return value != self._single()
        return value

    def _single(self) -> Any:
        if self._next("!"):
            return not self._single()
        if self._next("("):
            value = self._either()
            assert self._next(")")
            return value
        kind, word = self._tokens.pop(0)
        if kind == "text":
            return word
        assert kind == "name", word
        if self._next("("):
            given = []
            while not self._next(")"):
                given.append(self._either())
                self._next(",")
            return self._functions[word](*given)
        return {"true": True, "false": False}.get(word, self._look_up(word))


def github(
    text: str, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> Any:
    """Evaluate one expression of GitHub; what is not there is "", as there."""

    def look_up(path: str) -> Any:
        value: Any = contexts
        steps = re.split(r"\.|\[(\d+)\]\.?", path)
        assert steps[0] in contexts or path in {"true", "false"}, path
        for step in filter(None, steps):
            if isinstance(value, list):
                value = value[int(step)] if int(step) < len(value) else ""
            else:
                value = value.get(step, "") if isinstance(value, dict) else ""
        return value

    return _Reader(text, look_up, functions).whole()


def fill(text: str, evaluate: Callable[[str], Any]) -> Any:
    """Return a value of a workflow with its expressions replaced."""
    if match := _WHOLE.fullmatch(text):
        return evaluate(match[1])
    return _PLACEHOLDER.sub(lambda match: _text(evaluate(match[1])), text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def gitlab(text: str, variables: Mapping[str, str]) -> bool:
    """Evaluate the ``if`` of a rule of GitLab."""

    def look_up(name: str) -> str:
        assert name.startswith("$"), name
        return variables.get(name[1:], "")

    return bool(_Reader(text, look_up, {}).whole())
