"""Start-up, and commands on a registry with many versions, beside GTO on as many tags.

The registry is made by the Python API, one signed commit per version; the commands
are then timed as whole processes, as a user runs them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import gitmodel
from bench.timing import command, median, table

MODELS = 10


def run(versions: int, rounds: int) -> None:
    """Measure with ``versions`` versions of ten models."""
    with tempfile.TemporaryDirectory(prefix="gitmodel-bench-") as place:
        root = Path(place)
        environment = {
            "HOME": str(root / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONPATH": str(Path(gitmodel.__file__).parents[1]),
        }
        (root / "home").mkdir()
        registry = root / "registry"
        _build(root, registry, environment, versions)
        ours = [sys.executable, "-m", "gitmodel", "-C", str(registry)]
        newest = f"model-0@1.{versions // MODELS - 1}.0"
        older = f"model-0@1.{versions // MODELS - 2}.0"

        def timed(*args: str) -> float:
            return median(lambda: command([*ours, *args], root, environment), rounds)

        flips = [older, newest] * rounds
        rows: list[tuple[str, float, float | None]] = [
            ("python -c pass", _python(root, environment, rounds), None),
            ("gitmodel --version", timed("--version"), None),
            ("gitmodel --help", timed("--help"), None),
            ("gitmodel list", timed("list"), None),
            ("gitmodel list model-0", timed("list", "model-0"), None),
            (
                "gitmodel list model-0 --where",
                timed("list", "model-0", "--where", "accuracy>0.9"),
                None,
            ),
            ("gitmodel show model-0#dev", timed("show", "model-0#dev"), None),
            (
                "gitmodel promote",
                median(
                    lambda: command(
                        [*ours, "promote", flips.pop(0), "dev"], root, environment
                    ),
                    rounds,
                ),
                None,
            ),
            (
                "gitmodel rollback --plan",
                timed("rollback", "model-0", "dev", "--plan"),
                None,
            ),
            ("gitmodel rollback", _rollback(ours, root, environment, rounds), None),
            ("gitmodel verify", median(
                lambda: command([*ours, "verify"], root, environment), 1
            ), None),
        ]  # fmt: skip
        table(f"{versions} versions of {MODELS} models (whole processes)", rows)
        _gto(root, environment, versions, {n: s for n, s, _ in rows})


def _build(
    root: Path, registry: Path, environment: dict[str, str], versions: int
) -> None:
    script = root / "build.py"
    script.write_text(
        "import sys, pathlib, gitmodel\n"
        "place, count, models = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])\n"
        "registry = gitmodel.init_registry(place, name='scale', principal='ada')\n"
        "file = place.parent / 'model.bin'\n"
        "for index in range(count):\n"
        "    model, version = f'model-{index % models}', f'1.{index // models}.0'\n"
        "    file.write_bytes(b'%d' % index)\n"
        "    registry.register(model, [file], version=version,\n"
        "                      metrics={'accuracy': 0.9 + index / 1e6})\n"
        "    if index // models % 10 == 0 or index // models > count // models - 3:\n"
        "        registry.promote(f'{model}@{version}', 'dev')\n",
        encoding="utf-8",
    )
    seconds = median(
        lambda: command(
            [sys.executable, script, registry, str(versions), str(MODELS)],
            root,
            environment,
        ),
        1,
    )
    each = 1000 * seconds / versions
    print(f"made {versions} versions in {seconds:.0f} s ({each:.0f} ms each)")


def _python(root: Path, environment: dict[str, str], rounds: int) -> float:
    return median(
        lambda: command([sys.executable, "-c", "pass"], root, environment), rounds
    )


def _rollback(
    ours: list[str], root: Path, environment: dict[str, str], rounds: int
) -> float:
    def once() -> None:
        command([*ours, "rollback", "model-1", "dev", "-m", "bench"], root, environment)

    return median(once, min(rounds, 2))


def _gto(
    root: Path, environment: dict[str, str], versions: int, ours: dict[str, float]
) -> None:
    """Time GTO on as many registered versions, tags made with plain git."""
    beside = Path(sys.executable).with_name("gto")
    gto = str(beside) if beside.exists() else shutil.which("gto")
    if gto is None:
        print("  (gto is not installed: no comparison)")
        return
    repo = root / "gto"
    repo.mkdir()
    command(["git", "init", "-q", "-b", "main"], repo, environment)
    command(["git", "config", "user.name", "A"], repo, environment)
    command(["git", "config", "user.email", "a@example.com"], repo, environment)
    # GTO allows one version of an artifact per commit, so one commit per round.
    lines = []
    for index in range(versions // MODELS):
        stamp = f"A <a@example.com> {1_700_000_000 + index} +0000"
        lines.append(
            f"commit refs/heads/main\nmark :{index + 1}\ncommitter {stamp}\ndata 1\nx\n"
        )
        lines += [
            f"tag model-{model}@v1.{index}.0\nfrom :{index + 1}\ntagger {stamp}\n"
            "data 1\nx\n"
            for model in range(MODELS)
        ]
    (root / "tags").write_text("".join(lines))
    command(["sh", "-c", "git fast-import --quiet < ../tags"], repo, environment)
    show = median(lambda: command([gto, "show"], repo, environment), 1)
    version = f"v1.{versions // MODELS - 1}.0"
    assign = median(
        lambda: command(
            [gto, "assign", "model-0", "--version", version, "--stage", "dev"],
            repo,
            environment,
        ),
        1,
    )
    table(
        f"GTO with {versions} tags, and how many times ours that is",
        [
            ("gto show", show, show / ours["gitmodel list"]),
            ("gto assign", assign, assign / ours["gitmodel promote"]),
        ],
    )
