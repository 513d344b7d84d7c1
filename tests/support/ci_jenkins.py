"""Runs the shell steps of a declarative Jenkinsfile on a machine.

Groovy itself is not run: stages, their conditions and what wraps a step are found by
their braces. That the file is Groovy, a grammar says elsewhere.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.ci_machine import Machine

_SHELL = re.compile(r"sh '''\n(.*?)'''", re.DOTALL)
_STAGE = re.compile(r"stage\('([^']*)'\) \{")
_SKIPPED = re.compile(r"'''.*?'''|'[^'\n]*'|//[^\n]*", re.DOTALL)
_CREDENTIAL = re.compile(r"credentialsId: '([^']*)', variable: '([^']*)'")
_SETTING = re.compile(r"^\s*([A-Z_]+) = '([^']*)'$", re.MULTILINE)


def _body(text: str, start: int) -> str:
    """Return what the brace that ends before ``start`` encloses."""
    plain = _SKIPPED.sub(lambda match: " " * len(match[0]), text)
    depth, place = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(plain[place], 0)
        place += 1
    return text[start : place - 1]


@dataclass
class Build:
    """A Jenkins with one machine; ``results`` has success or failure by stage.

    Attributes:
        variables: Those of the folder and those that Jenkins sets.
        credentials: By their id.
        timer: Whether a timer started it.
    """

    machine: Machine
    file: Path
    variables: dict[str, str]
    credentials: dict[str, str]
    timer: bool = False
    results: dict[str, str] = field(default_factory=dict)

    def run(self) -> dict[str, str]:
        """Run the stages in order, until one fails, and what comes always."""
        text = self.file.read_text()
        place = self.machine.root / "workspace"
        place.mkdir()
        common = dict(_SETTING.findall(_body(text, _after(text, "environment {"))))
        for match in _STAGE.finditer(text):
            body = _body(text, match.end())
            if "failure" in self.results.values() or not self._wanted(body):
                continue
            self.results[match[1]] = self._steps(body, place, common)
        if "post {" not in text:
            return self.results
        post = _body(text, _after(text, "post {"))
        assert "env.CHANGE_ID && fileExists('report.md')" in post
        if "CHANGE_ID" in self.variables and (place / "report.md").exists():
            self.results["post"] = self._steps(post, place, common)
        return self.results

    def _wanted(self, stage: str) -> bool:
        if "when {" not in stage:
            return True
        said = _body(stage, _after(stage, "when {"))
        known = {
            "changeRequest()": "CHANGE_ID" in self.variables,
            "branch 'main'": self.variables["BRANCH_NAME"] == "main",
            "triggeredBy 'TimerTrigger'": self.timer,
        }
        rest = re.sub(r"allOf \{|[;}]", "", said)
        asked = [each for each in known if each in rest]
        for each in asked:
            rest = rest.replace(each, "")
        assert not rest.strip(), rest
        return all(known[each] for each in asked)

    def _steps(self, body: str, place: Path, common: dict[str, str]) -> str:
        secrets = {
            variable: self.credentials[name]
            for name, variable in _CREDENTIAL.findall(body)
        }
        for script in self._scripts(body):
            variables = {**common, **self.variables, **secrets}
            variables["WORKSPACE"] = str(place)
            if self.machine.run(("sh", "-xe"), script, place, variables):
                return "failure"
        return "success"

    def _scripts(self, body: str) -> Iterator[str]:
        for script in _SHELL.findall(body):
            assert "\\\\" not in script
            yield textwrap.dedent(script)


def _after(text: str, word: str) -> int:
    assert word in text
    return text.index(word) + len(word)
