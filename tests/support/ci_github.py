"""Runs workflows of GitHub, and of Gitea and Forgejo, step by step on a machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tests.support import ci_expressions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.support.ci_machine import Machine

_STATUS = ("always()", "success()", "failure()", "cancelled()")


def read(path: Path) -> Any:
    """Read a workflow; all values are text, so that ``on`` stays what it is."""
    return YAML(typ="base", pure=True).load(path)


@dataclass
class Job:
    """What became of a job: success, failure or skipped."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    workspace: Path | None = None


@dataclass
class Runner:
    """A forge with one machine.

    Attributes:
        workflows: Directory that ``./.github/workflows`` stands for.
        remote: What the repository is cloned from.
        github: The context of the event, ``event`` and all.
        variables: Of the repository.
        secrets: Of the repository.
    """

    machine: Machine
    workflows: Path
    remote: str
    github: dict[str, Any]
    variables: dict[str, str]
    secrets: dict[str, str] = field(default_factory=dict)

    def start(self, name: str) -> dict[str, Job]:
        """Run a workflow for the event; nothing if it does not listen to that."""
        workflow = read(self.workflows / name)
        if self.github["event_name"] not in workflow["on"]:
            return {}
        contexts = {
            "github": self.github,
            "vars": self.variables,
            "secrets": self.secrets,
            "inputs": {},
        }
        return self._jobs(workflow, contexts)

    def _jobs(self, workflow: Any, contexts: dict[str, Any]) -> dict[str, Job]:
        done: dict[str, Job] = {}
        for name, job in workflow["jobs"].items():  # each after what it needs
            needs = job.get("needs", [])
            needed = {
                each: done[each] for each in ([needs] if needs == str(needs) else needs)
            }
            here = contexts | {
                "needs": {
                    each: {"outputs": found.outputs, "result": found.result}
                    for each, found in needed.items()
                }
            }
            fine = all(found.result == "success" for found in needed.values())
            if not _wanted(job.get("if"), here, fine=fine):
                done[name] = Job("skipped")
            elif "uses" in job:
                done |= self._called(job, here)
            else:
                done[name] = self._job(name, workflow, job, here)
        return done

    def _called(self, job: Any, contexts: dict[str, Any]) -> dict[str, Job]:
        directory, _, file = job["uses"].rpartition("/")
        assert directory == "./.github/workflows", job["uses"]
        workflow = read(self.workflows / file)
        call = workflow["on"]["workflow_call"]
        given = _filled(job.get("with", {}), contexts)
        assert given.keys() <= call["inputs"].keys()
        inputs = {
            name: given.get(name, _typed(each.get("default", ""), each["type"]))
            for name, each in call["inputs"].items()
        }
        for name, each in call["inputs"].items():
            assert each.get("required") != "true" or name in given
        secrets = _filled(job.get("secrets", {}), contexts)
        return self._jobs(workflow, contexts | {"inputs": inputs, "secrets": secrets})

    def _job(self, name: str, workflow: Any, job: Any, here: dict[str, Any]) -> Job:
        place = self.machine.root / "jobs" / name
        workspace, temp = place / "workspace", place / "temp"
        workspace.mkdir(parents=True)
        temp.mkdir()
        steps: dict[str, Any] = {}
        here = here | {"steps": steps, "runner": {"temp": str(temp)}}
        here = here | {"env": _filled(workflow.get("env", {}), here)}
        found = Job("success", workspace=workspace)
        path: list[str] = []
        for number, step in enumerate(job["steps"]):
            fine = found.result == "success"
            if not _wanted(step.get("if"), here, fine=fine):
                found.steps[step["name"]] = "skipped"
                continue
            variables = here["env"] | _filled(job.get("env", {}), here)
            variables |= _filled(step.get("env", {}), here)
            files = {
                each: temp / f"{number}-{each}"
                for each in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
            }
            for file in files.values():
                file.touch()
            ok = True
            if "uses" in step:
                self._check_out(step, workspace, _filled(step["with"], here), variables)
            else:
                variables |= self._defaults(workspace, temp)
                variables |= {each: str(file) for each, file in files.items()}
                tools = f"{self.machine.root / 'tools'}:/usr/bin:/bin"
                variables["PATH"] = ":".join([*path, tools])
                script = step["run"]
                assert "${{" not in script, "an expression in a script"
                ok = not self.machine.run(("bash", "-e"), script, workspace, variables)
            path = [*files["GITHUB_PATH"].read_text().split(), *path]
            said = dict(
                line.split("=", 1)
                for line in files["GITHUB_OUTPUT"].read_text().splitlines()
            )
            steps[step.get("id", "")] = {"outputs": said}
            found.steps[step["name"]] = "success" if ok else "failure"
            found.result = "failure" if not ok else found.result
        found.outputs = _filled(job.get("outputs", {}), here)
        return found

    def _defaults(self, workspace: Path, temp: Path) -> dict[str, str]:
        return {
            "CI": "true",
            "RUNNER_TEMP": str(temp),
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_API_URL": self.github["api_url"],
            "GITHUB_SERVER_URL": self.github["server_url"],
            "GITHUB_REPOSITORY": self.github["repository"],
            "GITHUB_REF_NAME": self.github["ref_name"],
        }

    def _check_out(
        self,
        step: Any,
        workspace: Path,
        given: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> None:
        """Do what actions/checkout does."""
        action, _, commit = step["uses"].partition("@")
        assert action == "actions/checkout"
        assert len(commit) == 40, "an action is pinned by its commit"
        assert given["fetch-depth"] == "0"
        assert given["lfs"] == "false"
        ref = given.get("ref") or self.github["sha"]
        git = self.machine.git
        git(workspace, "init", "-q")
        git(workspace, "remote", "add", "origin", self.remote)
        heads = "+refs/heads/*:refs/remotes/origin/*"
        git(workspace, "fetch", "-q", "origin", heads)
        if len(ref) == 40:
            git(workspace, "fetch", "-q", "origin", ref)
            git(workspace, "checkout", "-q", "--detach", ref, **variables)
        else:
            start = f"refs/remotes/origin/{ref}"
            git(workspace, "checkout", "-q", "-B", ref, start, **variables)


def _typed(text: str, kind: str) -> Any:
    return text == "true" if kind == "boolean" else text


def _functions(*, fine: bool) -> dict[str, Callable[..., Any]]:
    return {
        "always": lambda: True,
        "success": lambda: fine,
        "failure": lambda: not fine,
        "cancelled": lambda: False,
        "startsWith": lambda text, start: str(text).startswith(start),
    }


def _wanted(condition: str | None, here: dict[str, Any], *, fine: bool) -> bool:
    if condition is None:
        return fine
    text = condition.strip().removeprefix("${{").removesuffix("}}")
    value = bool(ci_expressions.github(text, here, _functions(fine=fine)))
    return value and (fine or any(each in text for each in _STATUS))


def _filled(given: Mapping[str, str], here: dict[str, Any]) -> dict[str, Any]:
    def evaluate(text: str) -> Any:
        return ci_expressions.github(text, here, _functions(fine=True))

    return {
        name: _as_text(ci_expressions.fill(value, evaluate))
        for name, value in given.items()
    }


def _as_text(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value)
