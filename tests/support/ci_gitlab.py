"""Runs a GitLab pipeline step by step on a machine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tests.support import ci_expressions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.ci_machine import Machine

_GLOBAL = {"default", "variables", "stages"}


@dataclass
class Pipeline:
    """A GitLab with one machine; ``results`` has success or failure by job.

    Attributes:
        variables: Those of the project and those that GitLab sets.
        fetched: What the runner fetches before a job.
    """

    machine: Machine
    file: Path
    remote: str
    variables: dict[str, str]
    fetched: str
    results: dict[str, str] = field(default_factory=dict)

    def run(self) -> dict[str, str]:
        """Run every job whose rules say so, stage by stage."""
        config = YAML(typ="base", pure=True).load(self.file)
        jobs = {
            name: _extended(config, job)
            for name, job in config.items()
            if name not in _GLOBAL and not name.startswith(".")
        }
        artifacts = self.machine.root / "artifacts"
        artifacts.mkdir()
        for stage in config["stages"]:
            for name, job in jobs.items():
                failed = "failure" in self.results.values()
                when = self._when(job)
                if job["stage"] != stage or when == "never":
                    continue
                if failed and when != "always":
                    continue
                code = self._job(name, job, config["variables"], artifacts)
                self.results[name] = "failure" if code else "success"
        return self.results

    def _when(self, job: Any) -> str:
        for rule in job["rules"]:
            if ci_expressions.gitlab(rule["if"], self.variables):
                return str(rule.get("when", "on_success"))
        return "never"

    def _job(self, name: str, job: Any, common: Any, artifacts: Path) -> int:
        place = self.machine.root / "builds" / name / "project"
        place.mkdir(parents=True)
        variables = common | job.get("variables", {}) | self.variables
        variables |= {"CI": "true", "CI_PROJECT_DIR": str(place)}
        if variables.get("GIT_STRATEGY") != "none":
            assert (variables["GIT_DEPTH"], variables["GIT_CHECKOUT"]) == ("0", "false")
            self.machine.git(place, "init", "-q")
            self.machine.git(place, "remote", "add", "origin", self.remote)
            self.machine.git(place, "fetch", "-q", "origin", self.fetched)
        for each in artifacts.iterdir():
            if job.get("needs"):
                shutil.copy(each, place)
        lines = [*job["before_script"], *job["script"]]
        shell = ("bash", "-eo", "pipefail")
        code = self.machine.run(shell, "\n".join(lines), place, variables)
        kept = job.get("artifacts", {})
        for path in kept.get("paths", []):
            if (place / path).exists() and (not code or kept["when"] == "always"):
                shutil.copy(place / path, artifacts)
        return code


def _extended(config: Any, job: Any) -> Any:
    base = config[job["extends"]] if "extends" in job else {}
    return {**base, **job}
