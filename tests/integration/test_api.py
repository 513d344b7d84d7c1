"""The Python API: the README's promise, frozen results, documented errors, progress."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import gitmodel
import gitmodel.api
from gitmodel import Registry, errors
from tests.support.progress import Recorder
from tests.support.remotes import clone, make_hub
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from tests.support.workbench import Workbench

#: The modules of the API whose docstrings show what it does there.
AREAS = ("changing", "recovery", "incidents", "watching", "reading")
README = Path(gitmodel.__file__).parents[1] / "README.md"


@pytest.fixture
def registry(bench: Workbench) -> Iterator[Registry]:
    with gitmodel.open_registry(bench.path) as opened:
        yield opened


def _two_versions(registry: Registry, bench: Workbench) -> None:
    for version in ("1.0.0", "1.1.0"):
        file = bench.file(f"{version}/model.bin", version.encode() * 1000)
        registry.register("fraud", [file], version=version, metrics={"auc": 0.9})
        registry.promote(f"fraud@{version}", "dev", reason="better")


# --- as documented --------------------------------------------------------------------


def test_the_example_of_the_readme_runs_as_it_stands(
    bench: Workbench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pattern = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
    examples = pattern.findall(README.read_text())
    assert examples
    bench.path.rename(tmp_path / "registry")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    for example in examples:
        exec(compile(example, str(README), "exec"), {})  # noqa: S102
    with gitmodel.open_registry("registry") as registry:
        assert registry.models()[0].stages["dev"] == "1.0.0"
    assert capfd.readouterr() == ("", "")


def test_the_example_of_the_docstring_runs_as_it_stands(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.path / "model.safetensors").write_bytes(b"weights")
    monkeypatch.chdir(bench.path)
    _run_example(gitmodel.api)


@pytest.mark.parametrize("area", AREAS)
def test_every_area_has_an_example_that_runs_as_it_stands(
    area: str, stocked: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stocked.path / "model.safetensors").write_bytes(b"weights")
    monkeypatch.chdir(stocked.path)
    _run_example(importlib.import_module(f"gitmodel.api.{area}"))


def _run_example(module: ModuleType) -> None:
    """Run the example of a module's docstring where the process stands."""
    text = module.__doc__ or ""
    parse = doctest.DocTestParser().get_doctest
    example = parse(text, {}, module.__name__, None, None)
    assert len(example.examples) > 2
    said: list[str] = []
    result = doctest.DocTestRunner().run(example, out=said.append, clear_globs=False)
    example.globs["registry"].close()
    assert result.failed == 0, "".join(said)


def test_every_verb_says_what_it_does() -> None:
    verbs = [name for name in dir(Registry) if not name.startswith("_")]
    assert len(verbs) > 30
    assert [name for name in verbs if not getattr(Registry, name).__doc__] == []


def test_a_registry_can_be_made_and_found_again(tmp_path: Path) -> None:
    where = tmp_path / "new"
    with gitmodel.init_registry(where, stages=("lab", "live"), principal="eve") as made:
        assert made.stages == ("lab", "live")
        root = made.root
    with gitmodel.init_registry(str(where)) as again:
        assert again.root == root
    (where / "deep/down").mkdir(parents=True)
    with gitmodel.open_registry(where / "deep/down") as found:
        assert found.root == root
        assert found.verify(root=root).ok
        other = "sha256:" + "0" * 64
        problems = found.verify(root=other).problems
    assert "E_ROOT_ANCHOR" in {problem.code for problem in problems}


# --- results --------------------------------------------------------------------------


def _frozen(result: object) -> None:
    """Assert that neither a result nor any result within it can be changed."""
    items = result if isinstance(result, tuple) else (result,)
    assert items
    for item in items:
        assert dataclasses.is_dataclass(item), item
        for field in dataclasses.fields(item):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(item, field.name, None)
            value = getattr(item, field.name)
            assert not isinstance(value, list), field.name
            if (
                isinstance(value, tuple)
                and value
                and dataclasses.is_dataclass(value[0])
            ):
                _frozen(value)


def test_every_verb_returns_a_frozen_result(
    registry: Registry, bench: Workbench, tmp_path: Path
) -> None:
    first = bench.file("a/model.bin", b"a")
    second = bench.file("b/model.bin", b"b")
    results: list[object] = [
        registry.register("fraud", [first], metrics={"auc": 0.9}, labels={"team": "x"}),
        registry.register("fraud", [str(second)], bump="minor", dry_run=True),
        registry.register("fraud", [second], bump="minor", params={"depth": 3}),
        registry.promote("fraud@1.0.0", "dev"),
        registry.promote("fraud@latest", "dev", reason="better"),
        registry.rollback("fraud", "dev", reason="x", plan=True),
        registry.rollback("fraud", "dev", reason="bad", incident="INC-1"),
        registry.models(),
        registry.versions("fraud", labels={"team": "x"}),
        registry.show("fraud#dev"),
        registry.log("fraud", stage="dev"),
        registry.diff("fraud@1.0.0", "fraud@1.1.0"),
        registry.check("fraud@1.0.0"),
        registry.pull("fraud@1.1.0", tmp_path / "out"),
        registry.verify(),
        registry.verify("fraud@1.1.0", hash_bytes=False),
    ]
    for result in results:
        _frozen(result)
    assert list(registry.models()[0].stages.values()) == ["1.0.0", None, None]
    assert bench.verify() == (0, [])


def test_what_is_said_twice_is_answered_twice_and_done_once(
    registry: Registry, bench: Workbench
) -> None:
    file = bench.file("model.bin", b"a")
    registered = registry.register("fraud", [file])
    assert registered.commit == bench.git("rev-parse", "HEAD")
    promoted = registry.promote("fraud@1.0.0", "dev")
    again = registry.promote("fraud@1.0.0", "dev")
    assert (promoted.status, again.status) == ("promoted", "unchanged")
    assert again.commit is None
    assert promoted.commit == bench.git("rev-parse", "HEAD")


def test_an_open_registry_sees_what_others_do_to_it(
    registry: Registry, bench: Workbench
) -> None:
    bench.register(version="1.0.0")
    assert registry.promote("fraud@1.0.0", "dev").version == "1.0.0"
    bench.register(version="1.1.0")
    bench.promote("fraud@1.1.0", "dev")
    assert registry.show("fraud#dev").version.version.minor == 1


METRICS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "by name": ({"auc": 0.9}, {"validation": {"auc": 0.9}}),
    "by set": ({"test": {"auc": 0.9}}, {"test": {"auc": 0.9}}),
    "with details": (
        {"auc": {"value": 0.9, "direction": "higher"}},
        {"validation": {"auc": {"value": 0.9, "direction": "higher"}}},
    ),
}


@pytest.mark.parametrize("form", METRICS)
def test_metrics_may_be_given_by_name_or_by_set(
    form: str, registry: Registry, bench: Workbench
) -> None:
    given, expected = METRICS[form]
    registry.register("fraud", [bench.file("model.bin")], metrics=given)
    assert registry.show("fraud@1.0.0").version.metrics == expected


# --- errors ---------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Scene:
    """A registry with two versions in dev, and where to make trouble."""

    registry: Registry
    bench: Workbench
    scratch: Path

    def register(self, **options: Any) -> object:
        file = self.bench.file("new/model.bin", b"new")
        return self.registry.register("fraud", [file], **options)

    def register_nothing(self) -> object:
        return self.registry.register("fraud", [self.scratch / "nothing"])

    def promote(
        self, version: str = "1.0.0", stage: str = "staging", *, push: bool = False
    ) -> object:
        return self.registry.promote(f"fraud@{version}", stage, push=push)

    def with_a_strangers_key(self) -> object:
        key = self.scratch / "stranger"
        self.bench.do("key", "new", "--out", key)
        with gitmodel.open_registry(self.bench.path, key=key) as other:
            return other.promote("fraud@1.0.0", "staging")

    def roll_back_to_altered_bytes(self) -> object:
        [artifact] = self.registry.show("fraud@1.0.0").version.artifacts
        stored = self.bench.object_path(str(artifact.digest))
        stored.chmod(0o644)
        stored.write_bytes(b"X" * stored.stat().st_size)
        return self.registry.rollback("fraud", "dev", reason="x")

    def push_to_nowhere(self) -> object:
        self.bench.git("remote", "add", "origin", self.scratch / "nowhere.git")
        return self.promote(push=True)


EXIT_CODES = {
    errors.NotFoundError: 1,
    errors.ConflictError: 1,
    errors.InputError: 2,
    errors.RefusedError: 3,
    errors.IntegrityError: 4,
    errors.OutsideError: 5,
}


class Case(NamedTuple):
    """What is done, and the class of the error that it raises."""

    provoke: Callable[[Scene], object]
    kind: type[errors.GitmodelError]


ERRORS = {
    "malformed selector": Case(lambda at: at.registry.show("@"), errors.InputError),
    "malformed version": Case(lambda at: at.register(version="1"), errors.InputError),
    "no such file": Case(Scene.register_nothing, errors.InputError),
    "no such version": Case(lambda at: at.promote("9.9.9"), errors.NotFoundError),
    "no remote": Case(lambda at: at.promote(push=True), errors.NotFoundError),
    "exists": Case(lambda at: at.register(version="1.0.0"), errors.ConflictError),
    "gate": Case(lambda at: at.promote(stage="production"), errors.RefusedError),
    "stranger's key": Case(Scene.with_a_strangers_key, errors.RefusedError),
    "altered bytes": Case(Scene.roll_back_to_altered_bytes, errors.IntegrityError),
    "unreachable remote": Case(Scene.push_to_nowhere, errors.OutsideError),
}


@pytest.mark.parametrize("what", ERRORS)
def test_what_goes_wrong_is_an_error_of_its_class_and_changes_nothing(
    what: str, registry: Registry, bench: Workbench, tmp_path: Path
) -> None:
    _two_versions(registry, bench)
    head = bench.git("rev-parse", "HEAD")
    with pytest.raises(ERRORS[what].kind) as caught:
        ERRORS[what].provoke(Scene(registry, bench, tmp_path))
    assert isinstance(caught.value, errors.GitmodelError)
    assert caught.value.exit_code == EXIT_CODES[type(caught.value)]
    assert caught.value.code.startswith("E_")
    assert str(caught.value) == caught.value.message
    assert bench.git("rev-parse", "HEAD") == head


def test_a_remote_that_is_named_meanwhile_is_found(
    registry: Registry, bench: Workbench, tmp_path: Path
) -> None:
    _two_versions(registry, bench)
    with pytest.raises(errors.NotFoundError):
        registry.promote("fraud@1.0.0", "staging", push=True)
    bench.git("remote", "add", "origin", make_hub(tmp_path / "hub.git"))
    result = registry.promote("fraud@1.0.0", "staging", push=True)
    assert git(tmp_path / "hub.git", "rev-parse", "main") == result.commit


def test_where_there_is_no_registry_opening_says_so(tmp_path: Path) -> None:
    with pytest.raises(errors.NotFoundError):
        gitmodel.open_registry(tmp_path)
    git(tmp_path, "init", "-q", "plain")
    with pytest.raises(errors.NotFoundError):
        gitmodel.open_registry(tmp_path / "plain")


def test_verify_returns_what_it_finds_and_raises_nothing(
    registry: Registry, bench: Workbench
) -> None:
    _two_versions(registry, bench)
    assert registry.verify().ok
    bench.commit_file("stages/dev/fraud.yaml", b"kind: Nonsense\n")
    found = registry.verify()
    assert not found.ok
    assert "stages/dev/fraud.yaml" in {problem.path for problem in found.problems}


# --- keys -----------------------------------------------------------------------------


def test_a_key_with_a_passphrase_signs_for_who_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, where = tmp_path / "key", tmp_path / "r"
    command = ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "sesame", "-f", str(key)]
    subprocess.run(command, check=True)
    (tmp_path / "model.bin").write_bytes(b"x")
    made = gitmodel.init_registry(where, key=key, passphrase=b"sesame", principal="eve")
    with made:
        made.register("fraud", [tmp_path / "model.bin"])
        assert made.verify().ok
    monkeypatch.delenv("GITMODEL_KEY_PASSPHRASE", raising=False)
    for passphrase in (None, b"wrong"):
        with (
            gitmodel.open_registry(where, key=key, passphrase=passphrase) as opened,
            pytest.raises(errors.GitmodelError),
        ):
            opened.promote("fraud@1.0.0", "dev")


# --- progress -------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["register", "verify", "pull", "rollback"])
def test_progress_is_told_of_every_byte(
    verb: str, bench: Workbench, tmp_path: Path
) -> None:
    with gitmodel.open_registry(bench.path) as registry:
        _two_versions(registry, bench)
    new = bench.file("new/model.bin", b"x" * 12345)
    heard = Recorder()
    with gitmodel.open_registry(bench.path, progress=heard) as registry:
        verbs: dict[str, Callable[[], object]] = {
            "register": lambda: registry.register("fraud", [new]),
            "verify": registry.verify,
            "pull": lambda: registry.pull("fraud@1.0.0", tmp_path / "out"),
            "rollback": lambda: registry.rollback("fraud", "dev", reason="x"),
        }
        verbs[verb]()
    expected = {"register": 12345, "verify": 10_000, "pull": 5000, "rollback": 5000}
    assert (heard.total, heard.done) == (expected[verb], expected[verb])
    assert heard.finished >= 1
    assert heard.label


# --- a guest in somebody's process ----------------------------------------------------


def _children() -> set[str]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {pid for task in tasks for pid in task.read_text().split()}


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="asks Linux's /proc")
def test_a_closed_registry_leaves_no_process_behind(tmp_path: Path) -> None:
    before = _children()
    with gitmodel.init_registry(tmp_path / "r", principal="eve") as registry:
        registry.verify()
        registry.models()
        assert _children() > before
    assert _children() == before


def test_threads_push_to_one_remote_and_the_environment_stays(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make_hub(tmp_path / "hub.git")
    bench.git("remote", "add", "origin", hub)
    models = ("a", "b", "c")
    for model in models:
        bench.register(model)
    bench.git("lfs", "push", "--all", "origin")
    bench.git("push", "-q", "origin", "main")
    clones = [clone(hub, tmp_path / model, bench.outside) for model in models]
    # As in a hook of some other repository.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "strange.git"))
    before = dict(os.environ)

    def work(place: Workbench, model: str) -> str | None:
        with gitmodel.open_registry(place.path) as registry:
            return registry.promote(f"{model}@1.0.0", "dev", push=True).commit

    with ThreadPoolExecutor(len(models)) as pool:
        done = list(pool.map(work, clones, models))
    assert dict(os.environ) == before
    monkeypatch.delenv("GIT_DIR")
    landed = git(hub, "rev-list", "main").split()
    assert set(done) <= set(landed)
    bench.git("pull", "-q", "--ff-only", "origin", "main")
    assert [bench.live(model, "dev") for model in models] == ["1.0.0"] * 3
    assert bench.verify() == (0, [])
