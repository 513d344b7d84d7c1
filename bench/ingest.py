"""How fast artifacts get into the store, next to the machine and to other tools.

    python bench/ingest.py                        # 1 GiB, and 200 x 20 MiB
    python bench/ingest.py --size 100 --rounds 3  # a tenth of it
    python bench/ingest.py --dvc PATH/TO/dvc --only large

Every method runs once in each round, in turn, on the same files (which stay in the
page cache), and the table shows medians: compare ratios, not seconds. ``floor`` is
what any tool must do that copies, hashes with SHA-256 and syncs: copies with fsync in
some threads and, independently of them, hashes of the sources in others.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[1]
MIB = 1 << 20
SMALL = 20 * MIB
CPUS = os.cpu_count() or 1
MOST_MEMORY = 150  # MiB
MOST_OF_FLOOR = 1.2
LEAST_OF_GIT_LFS = 5.0
LEAST_OF_DVC = 3.0

# What is measured in a process of its own: name → how


def floor(files: Sequence[Path], out: Path) -> None:
    """Copy, hash and sync as simply as possible, all at once."""
    out.mkdir()

    def copy(index: int) -> None:
        with files[index].open("rb") as source, (out / str(index)).open("wb") as target:
            size, done = os.fstat(source.fileno()).st_size, 0
            while done < size:
                done += os.copy_file_range(
                    source.fileno(), target.fileno(), size - done
                )
            os.fsync(target.fileno())

    def digest(path: Path) -> str:
        hasher = hashlib.sha256()
        buffer = memoryview(bytearray(MIB))
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                hasher.update(buffer[:count])
        return hasher.hexdigest()

    with ThreadPoolExecutor(4) as copiers, ThreadPoolExecutor(CPUS) as hashers:
        copies = copiers.map(copy, range(len(files)))
        list(hashers.map(digest, files))
        list(copies)


def ours(files: Sequence[Path], out: Path) -> None:
    """Put files into a fresh LFS store."""
    from gitmodel.adapters.lfs.ingest import ingest  # noqa: PLC0415
    from gitmodel.adapters.lfs.store import Store  # noqa: PLC0415

    ingest(files, Store(out))


def mlflow(files: Sequence[Path], out: Path) -> Callable[[], object]:
    """Prepare to log artifacts and register them as a version, as a training run does.

    A local artifact store and an SQLite registry: neither network nor server.
    """
    client, experiment = _mlflow_store(out)

    def work() -> None:
        run = client.create_run(experiment).info
        client.log_artifacts(run.run_id, str(files[0].parent), "model")
        client.create_model_version("fraud", f"{run.artifact_uri}/model", run.run_id)

    return work


def _mlflow_store(out: Path) -> tuple[Any, str]:
    """Return a client and an experiment; the first time, both are made."""
    database = f"sqlite:///{out}/mlflow.db"
    new = not out.exists()
    out.mkdir(exist_ok=True)
    client = importlib.import_module("mlflow.tracking").MlflowClient(database, database)
    if new:
        store = (out / "artifacts").as_uri()
        client.create_experiment("bench", artifact_location=store)
        client.create_registered_model("fraud")
    return client, client.get_experiment_by_name("bench").experiment_id


#: Each returns the work to time; libraries are imported, and empty stores made, before.
IN_PROCESS: dict[str, Callable[[Sequence[Path], Path], Callable[[], object]]] = {
    "floor": lambda files, out: partial(floor, files, out),
    "gitmodel ingest": lambda files, out: partial(ours, files, out),
    "mlflow": mlflow,
    "mlflow store": lambda _, out: partial(_mlflow_store, out),
}


def child(name: str, directory: Path, out: Path) -> None:
    """Run one method and print how long it took and how much memory."""
    files = sorted(directory.iterdir())
    work = IN_PROCESS[name](files, out)
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    status = Path("/proc/self/status").read_text().splitlines()
    [peak] = [line.split()[1] for line in status if line.startswith("VmHWM")]
    print(json.dumps({"seconds": seconds, "mebibytes": int(peak) / 1024}))


def in_process(name: str) -> Callable[[Path, Path], tuple[float, float]]:
    def measure(sources: Path, work: Path) -> tuple[float, float]:
        command: list[str | Path] = [sys.executable, __file__, "--child", name]
        command += [sources, work / "out"]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        answer = json.loads(done.stdout)
        return answer["seconds"], answer["mebibytes"]

    return measure


# Other tools


def mlflow_script(sources: Path, work: Path) -> tuple[float, float]:
    """Time MLflow as a script that logs and ends, its store being there already."""
    in_process("mlflow store")(sources, work)
    started = time.perf_counter()
    in_process("mlflow")(sources, work)
    return time.perf_counter() - started, 0.0


def _timed(*commands: Sequence[str | Path], cwd: Path) -> tuple[float, float]:
    started = time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=cwd, check=True, capture_output=True)
    return time.perf_counter() - started, 0.0


def cp(sources: Path, work: Path) -> tuple[float, float]:
    return _timed(["cp", "-r", sources, "copy"], cwd=work)


def cp_and_sync(sources: Path, work: Path) -> tuple[float, float]:
    names = [f"copy/{path.name}" for path in sources.iterdir()]
    return _timed(["cp", "-r", sources, "copy"], ["sync", *names], cwd=work)


def sha256sum(sources: Path, work: Path) -> tuple[float, float]:
    return _timed(["sha256sum", *sources.iterdir()], cwd=work)


def openssl(sources: Path, work: Path) -> tuple[float, float]:
    return _timed(["openssl", "dgst", "-sha256", *sources.iterdir()], cwd=work)


def git_lfs(sources: Path, work: Path) -> tuple[float, float]:
    for command in (
        ["git", "init", "-q"],
        ["git", "lfs", "install", "--local"],
        ["git", "lfs", "track", "m/**"],
    ):
        _timed(command, cwd=work)
    return _timed(["cp", "-r", sources, "m"], ["git", "add", "m"], cwd=work)


def dvc(executable: str) -> Callable[[Path, Path], tuple[float, float]]:
    def measure(sources: Path, work: Path) -> tuple[float, float]:
        _timed([executable, "init", "--no-scm", "-q"], cwd=work)
        _timed([executable, "config", "core.analytics", "false"], cwd=work)
        _timed(["cp", "-r", sources, "m"], ["sync"], cwd=work)
        return _timed([executable, "add", "-q", "m"], cwd=work)

    return measure


def methods(
    dvc_executable: str | None,
) -> dict[str, Callable[..., tuple[float, float]]]:
    """Return what can be measured on this machine, by name."""
    found: dict[str, Callable[..., tuple[float, float]]] = {
        **{name: in_process(name) for name in ("floor", "gitmodel ingest")},
        "cp": cp,
        "cp + sync": cp_and_sync,
    }
    if shutil.which("sha256sum"):
        found["sha256sum"] = sha256sum
    if shutil.which("openssl"):
        found["openssl sha256"] = openssl
    if shutil.which("git-lfs"):
        found["cp + git add (git-lfs)"] = git_lfs
    if dvc_executable:
        found["dvc add"] = dvc(dvc_executable)
    if importlib.util.find_spec("mlflow") and importlib.util.find_spec("alembic"):
        found["mlflow, imported"] = in_process("mlflow")
        found["mlflow, whole script"] = mlflow_script
    return found


# The table


def make_sources(directory: Path, count: int, size: int) -> None:
    directory.mkdir()
    for index in range(count):
        with (directory / f"part-{index:03}.bin").open("wb") as file:
            for start in range(0, size, MIB):
                file.write(os.urandom(min(MIB, size - start)))


def measure_all(
    sources: Path,
    root: Path,
    rounds: int,
    how: dict[str, Callable[..., tuple[float, float]]],
) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in how}
    for number in range(rounds + 1):
        # Turned around every other time: what comes next pays for what was deleted.
        for name, measure in list(how.items())[:: 1 if number % 2 else -1]:
            if number == 0 and name not in {"floor", "gitmodel ingest"}:
                continue  # the first round warms up what is compared most closely
            work = root / "work"
            work.mkdir()
            os.sync()
            answer = measure(sources, work)
            if number:
                found[name].append(answer)
            shutil.rmtree(work)
    return found


def show(title: str, found: dict[str, list[tuple[float, float]]]) -> list[str]:
    """Print a table; return what missed its target."""
    seconds = {
        name: median(second for second, _ in runs) for name, runs in found.items()
    }
    base, mine = seconds["floor"], seconds["gitmodel ingest"]
    memory = max(peak for _, peak in found["gitmodel ingest"])
    print(f"\n{title}\n")
    print(f"{'':24}{'s':>8}{'fastest':>9}{'/ floor':>9}{'/ ours':>9}")
    for name, runs in found.items():
        second = seconds[name]
        print(
            f"{name:24}{second:8.2f}{min(runs)[0]:9.2f}"
            f"{second / base:9.2f}{second / mine:9.2f}"
        )
    print(f"peak memory of gitmodel ingest: {memory:.0f} MiB")
    missed = []
    if mine > MOST_OF_FLOOR * base:
        missed.append(f"{title}: {mine / base:.2f} x floor, not {MOST_OF_FLOOR}")
    if memory >= MOST_MEMORY:
        missed.append(f"{title}: {memory:.0f} MiB, not below {MOST_MEMORY}")
    for name, least in (
        ("cp + git add (git-lfs)", LEAST_OF_GIT_LFS),
        ("dvc add", LEAST_OF_DVC),
    ):
        if name in seconds and seconds[name] < least * mine:
            ratio = seconds[name] / mine
            missed.append(
                f"{title}: only {ratio:.1f} x faster than {name}, not {least}"
            )
    return missed


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["large", "many"])
    parser.add_argument("--dir", type=Path, help="where to work; needs 12 x SIZE")
    parser.add_argument("--dvc", default=shutil.which("dvc"), help="dvc executable")
    parser.add_argument("--fast", action="store_true", help="no other tools")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        name, sources, out = options.child
        child(name, Path(sources), Path(out))
        return 0
    how = methods(options.dvc)
    if options.fast:
        how = {name: how[name] for name in ("floor", "gitmodel ingest")}
    missed = []
    with tempfile.TemporaryDirectory(dir=options.dir, prefix="bench-") as name:
        for kind, count, size in (
            ("large", 1, options.size * MIB),
            ("many", max(1, options.size * 200 // 1024), SMALL),
        ):
            if options.only in {None, kind}:
                root = Path(name) / kind
                root.mkdir()
                make_sources(root / "sources", count, size)
                found = measure_all(root / "sources", root, options.rounds, how)
                missed += show(f"{count} x {size // MIB} MiB", found)
                shutil.rmtree(root)
    print(
        "\n" + "\n".join(["MISSED " + line for line in missed] or ["All targets met."])
    )
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
