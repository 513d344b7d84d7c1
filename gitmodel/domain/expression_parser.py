"""Reads conditions, by recursive descent: one method per level of precedence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from gitmodel.domain import expression_nodes as nodes
from gitmodel.domain.expression_tokens import Token, tokens, unreadable
from gitmodel.domain.expression_values import COMPARISONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitmodel.domain.expression_nodes import Node

_DEEPEST = 32
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


class Parser:
    """Reads one condition.

    Attributes:
        mentioned: The names that it mentions.
    """

    def __init__(self, text: str, known: frozenset[str]) -> None:
        self._text = text
        self._known = known
        self._tokens = list(tokens(text))
        self._at = 0
        self._depth = 0
        self.mentioned: set[str] = set()

    def read(self) -> Node:
        """Read all of it.

        Raises:
            InputError: It is no condition (``E_EXPRESSION``).
        """
        first = self._next
        if first.kind == "end":
            self._fail(first, "it is empty")
        root = self._any()
        last = self._next
        if last.kind != "end":
            self._fail(last, f"{last.text!a} is not expected here")
        return root

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *signs: str) -> Token | None:
        token = self._next
        if token.kind != "sign" or token.text not in signs:
            return None
        self._at += 1
        return token

    def _fail(self, token: Token, why: str) -> NoReturn:
        raise unreadable(self._text, token.column, why)

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(token, f"it is nested more than {_DEEPEST} deep")

    def _nested(self, opening: Token, closing: str) -> Node:
        self._enter(opening)
        inner = self._any()
        self._close(closing)
        return inner

    def _close(self, closing: str) -> None:
        if self._take(closing) is None:
            self._fail(self._next, f"{closing!a} is expected")
        self._depth -= 1

    def _any(self) -> Node:
        return self._junction("||", self._all)

    def _all(self) -> Node:
        return self._junction("&&", self._comparison)

    def _junction(self, sign: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._take(sign):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        return nodes.junction(parts, decisive=sign == "||")

    def _comparison(self) -> Node:
        left = self._sum()
        found = self._take(*COMPARISONS)
        if found is None:
            return left
        right = self._sum()
        if again := self._take(*COMPARISONS):
            self._fail(again, "compare two values at a time, and join them by &&")
        return nodes.comparison(found.text, left, right)

    def _sum(self) -> Node:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Node:
        return self._chain(self._sign, "*", "/")

    def _chain(self, part: Callable[[], Node], *signs: str) -> Node:
        first = part()
        rest = []
        while found := self._take(*signs):
            rest.append((found.text, part()))
        return nodes.chain(first, rest) if rest else first

    def _sign(self) -> Node:
        found = self._take("!", "-")
        if found is None:
            return self._path()
        self._enter(found)
        inner = self._sign()
        self._depth -= 1
        return nodes.inverse(found.text, inner)

    def _path(self) -> Node:
        base = self._value()
        steps: list[Node] = []
        while found := self._take("[", "."):
            if found.text == "[":
                steps.append(self._nested(found, "]"))
            else:
                steps.append(self._field())
        return nodes.path(base, steps) if steps else base

    def _field(self) -> Node:
        token = self._next
        if token.kind != "name":
            self._fail(token, "the name of a field is expected, or write ['name']")
        self._at += 1
        return nodes.constant(token.text)

    def _value(self) -> Node:
        token = self._next
        if opening := self._take("("):
            return self._nested(opening, ")")
        if token.kind in {"sign", "end"}:
            what = "it ends" if token.kind == "end" else f"{token.text!a} stands"
            self._fail(token, f"{what} where a value is expected")
        self._at += 1
        if token.kind == "number":
            return nodes.constant(float(token.text))
        if token.kind == "text":
            return nodes.constant(token.text)
        return self._call(token) if self._take("(") else self._name(token)

    def _name(self, token: Token) -> Node:
        name = token.text
        if name in _WORDS:
            return nodes.constant(_WORDS[name])
        if name not in self._known:
            known = " and ".join(sorted(self._known, reverse=True))
            self._fail(token, f"there is no {name}, only {known}")
        self.mentioned.add(name)
        return nodes.named(name)

    def _call(self, token: Token) -> Node:
        count = nodes.ARGUMENTS.get(token.text)
        if count is None:
            known = ", ".join(nodes.ARGUMENTS)
            self._fail(token, f"there is no function {token.text}, only {known}")
        self._enter(token)
        arguments = [self._any()]
        while self._take(","):
            arguments.append(self._any())
        if len(arguments) != count:
            self._fail(token, f"{token.text} takes {count}, not {len(arguments)}")
        self._close(")")
        return nodes.call(token.text, arguments)
