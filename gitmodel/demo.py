"""The whole story on a real model, told by running the real commands.

Nothing is staged: a model is trained three times on the digits that scikit-learn
ships, once on poisoned labels; every ``gitmodel`` line that is printed is run as a
process of its own, and every outcome is insisted on. A step that does not end as
the story says ends the story with an error.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmodel import resources
from gitmodel.domain.digest import Digest
from gitmodel.errors import ConflictError, GitmodelError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

_NEEDED = ("sklearn", "skops")
#: A live model that loses more accuracy than this on clean data is rolled back.
_TOLERATED_DROP = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo left to explore.

    Attributes:
        registry: The registry's directory.
        key: The key that it signs with.
        claimed: Accuracy that the poisoned model's training claimed.
        measured: Its accuracy on clean data, which gave it away.
        restored: Accuracy of the model that is live at the end.
    """

    registry: Path
    key: Path
    claimed: float
    measured: float
    restored: float


def run_demo(directory: Path | None, say: Callable[[str], None]) -> DemoResult:
    """Tell the story in ``directory``, or in a new temporary one.

    Args:
        directory: Must not exist or be empty.
        say: Hears the transcript, line by line.

    Raises:
        NotFoundError: scikit-learn or skops is not installed.
        ConflictError: ``directory`` holds something.
        GitmodelError: A step did not end as it must.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise NotFoundError(
            f"The demo trains a real model and needs {' and '.join(missing)}.",
            "pip install 'gitmodel[demo]'",
        )
    if directory is None:
        directory = Path(tempfile.mkdtemp(prefix="gitmodel-demo-"))
    elif directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConflictError(
            f"{directory} exists and is not empty.",
            "gitmodel demo  uses a new temporary directory.",
        )
    directory.mkdir(parents=True, exist_ok=True)
    return _Story(directory.resolve(), say).tell()


class _Story:
    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self.root = directory
        self.registry = directory / "registry"
        self.code = directory / "code"
        self.key = directory / "keys" / "demo"
        self.say = say

    def tell(self) -> DemoResult:
        self._chapter("A registry is a git repository, a policy and a key")
        self._make_code()
        self._gitmodel("key", "new", "--out", self.key)
        self._gitmodel("init", self.registry, "--name", "digits", "--principal", "ada")

        self._chapter("Train a model, register it, promote it")
        self._train("good")
        self._register("good", "1.0.0", "january")
        self._promote("digits@1.0.0")

        self._chapter("A better one takes its place")
        self._train("better")
        self._register("better", "1.1.0", "february")
        self._gitmodel("diff", "digits@1.0.0", "digits@1.1.0", show=9)
        self._promote("digits@1.1.0")

        self._chapter("A third one looks fine, but its labels were poisoned")
        claimed = self._train("poisoned")
        self._register("poisoned", "1.2.0", "march")
        self._promote("digits@1.2.0")

        self._chapter("Measure what is live, on data that nobody could poison")
        expected = self._measure("digits@1.1.0", "pulled/before")
        measured = self._measure("digits#production", "pulled/poisoned")
        drop = expected - measured
        if drop <= _TOLERATED_DROP:
            raise GitmodelError(f"The poisoned model lost only {drop:.3f}.")
        self.say(
            f"1.2.0 claimed {claimed:.3f} and reaches {measured:.3f}; 1.1.0 reaches "
            f"{expected:.3f}: roll back."
        )

        self._chapter("One command goes back, quarantines and opens the incident")
        self._gitmodel("rollback", "digits", "production", "--plan")
        self._gitmodel(
            "rollback", "digits", "production", "--emergency", "--incident", "INC-1",
            "-m", f"accuracy on clean data fell to {measured:.3f}", "--yes",
        )  # fmt: skip
        restored = self._measure("digits#production", "pulled/restored")
        if expected - restored > _TOLERATED_DROP:
            raise GitmodelError(f"The restored model reaches only {restored:.3f}.")

        self._chapter("Stop the poisoned data, too, and whatever is made of it")
        self._contain()

        self._chapter("Anyone with a clone can prove it")
        self._gitmodel("list")
        self._gitmodel("log", "digits", "--stage", "production")
        self._gitmodel("verify")

        self._chapter("Anyone without a clone can, too: the evidence is one file")
        self._pack()

        self._chapter("Change one byte of what is live, and the proof fails")
        self._tamper()

        self._chapter("Yours to explore")
        self._farewell()
        return DemoResult(
            registry=self.registry,
            key=self.key,
            claimed=claimed,
            measured=measured,
            restored=restored,
        )

    def _chapter(self, title: str) -> None:
        self.say(f"\n=== {title}")

    def _make_code(self) -> None:
        """Put the training code under version control, as a team would."""
        self.code.mkdir()
        for name in ("train.py", "evaluate.py"):
            text = resources.template(f"demo/{name}")
            (self.code / name).write_text(text, encoding="utf-8")
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        quiet = ("-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null")
        for args in (
            ("init", "-q"),
            ("add", "."),
            (*who, *quiet, "commit", "-qm", "Train and evaluate"),
        ):
            self._process(["git", *args], cwd=self.code)

    def _train(self, variant: str) -> float:
        out = self.root / "runs" / variant
        script = str(self.code / "train.py")
        self.say(f"$ python code/train.py --variant {variant} --out runs/{variant}")
        self._process([sys.executable, script, "--variant", variant, "--out", str(out)])
        metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
        shown = metrics["validation"]
        self.say("  " + "  ".join(f"{name} {shown[name]:.4f}" for name in shown))
        accuracy: float = shown["accuracy"]
        return accuracy

    def _register(self, variant: str, version: str, month: str) -> None:
        run = self.root / "runs" / variant
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        parameters = json.loads((run / "params.json").read_text(encoding="utf-8"))
        metadata = run / "metadata.json"
        facts = {"metrics": metrics, "training": {"hyperparameters": parameters}}
        metadata.write_text(json.dumps(facts, indent=2), encoding="utf-8")
        self._gitmodel(
            "register", "digits", run / "model.skops", "--version", version,
            "--metadata", metadata, "--data", f"scans@{month}={run / 'train.csv'}",
            "--code", self.code,
        )  # fmt: skip

    def _promote(self, selector: str) -> None:
        for stage in ("dev", "staging", "production"):
            self._gitmodel("promote", selector, stage, show=1)

    def _measure(self, selector: str, place: str) -> float:
        """Pull a version, and measure the model in it on clean data."""
        target = self.root / place
        self._gitmodel("pull", selector, "-o", target)
        model = target / "artifacts" / "model.skops"
        self.say(f"$ python code/evaluate.py {place}/artifacts/model.skops")
        said = self._process(
            [sys.executable, str(self.code / "evaluate.py"), str(model)]
        )
        accuracy: float = json.loads(said)["accuracy"]
        self.say(f"  accuracy on clean data {accuracy:.4f}")
        return accuracy

    def _contain(self) -> None:
        """Take what came of the bad data out of every stage, and out of use."""
        why = ("--incident", "INC-1", "-m", "eights are labelled as threes")
        self._gitmodel("quarantine", "--data", "scans@march", *why)
        self._gitmodel("promote", "digits@1.2.0", "production", expect=3)
        for stage in ("staging", "dev"):
            self._gitmodel("rollback", "digits", stage, *why, show=1)
        self._gitmodel("incident", "show", "INC-1")

    def _pack(self) -> None:
        """Hand the evidence out, and verify it where there is no registry."""
        evidence = self.root / "INC-1.tar"
        self._gitmodel("incident", "bundle", "INC-1", "-o", evidence)
        root = Digest.of((self.registry / ".gitmodel/policy/1.yaml").read_bytes())
        elsewhere = self.root / "elsewhere"
        elsewhere.mkdir()
        verify = ("incident", "bundle", "--verify", evidence, "--root", str(root))
        self._gitmodel(*verify, inside=elsewhere)

    def _tamper(self) -> None:
        shown = self._gitmodel("--json", "show", "digits#production", show=0)
        oid = json.loads(shown)["artifacts"][0]["sha256"]
        stored = self.registry / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid
        data = stored.read_bytes()
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        stored.chmod(0o644)
        stored.write_bytes(flipped)
        self.say(f"(flipped one bit of {oid[:12]}… in the LFS store)")
        self._gitmodel("verify", expect=4)
        stored.write_bytes(data)
        self.say("(put it back)")
        self._gitmodel("verify")

    def _farewell(self) -> None:
        self.say(f"The registry is {self.registry}; its key is {self.key}")
        self.say("Next:")
        for line in (
            f"cd {self.registry}",
            f"export GITMODEL_KEY={self.key}",
            "gitmodel show digits@1.2.0",
            "gitmodel log",
            "git log --show-signature",
            "gitmodel drill digits production",
            "gitmodel incident close INC-1 --root-cause TEXT --fixed-in digits@1.1.0",
        ):
            self.say(f"  {line}")

    def _gitmodel(
        self,
        *args: str | Path,
        expect: int = 0,
        show: int | None = None,
        inside: Path | None = None,
    ) -> str:
        """Run one command as a user would, and show the beginning of its answer."""
        words = [str(arg) for arg in args]
        shown = [self._short(word) for word in words]
        if show != 0:
            self.say("$ gitmodel " + " ".join(shown))
        if inside is None:
            inside = self.registry if self.registry.is_dir() else self.root
        done = subprocess.run(
            [sys.executable, "-m", "gitmodel", "-q", *words],
            cwd=inside,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != expect:
            raise GitmodelError(
                f"gitmodel {' '.join(words)} ended with {done.returncode}, not "
                f"{expect}: {(done.stderr or done.stdout).strip()}"
            )
        lines = done.stdout.splitlines()
        for line in lines[:show]:
            self.say(f"  {line}".rstrip())
        if expect:
            for line in done.stderr.splitlines():
                self.say(f"  {line}")
            self.say(f"  (exit code {done.returncode})")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GITMODEL_")}
        where = str(Path(__file__).parents[1])
        path = os.pathsep.join(filter(None, (where, kept.get("PYTHONPATH"))))
        return {**kept, "GITMODEL_KEY": str(self.key), "PYTHONPATH": path}

    def _process(self, command: list[str], cwd: Path | None = None) -> str:
        environment = {k: v for k, v in os.environ.items() if k[:4] != "GIT_"}
        done: Any = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise GitmodelError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
        answer: str = done.stdout
        return answer

    def _short(self, word: str) -> str:
        """Show paths as the reader sees them: from the demo's directory."""
        text = word.replace(f"{self.root}{os.sep}", "")
        return f'"{text}"' if " " in text else text
