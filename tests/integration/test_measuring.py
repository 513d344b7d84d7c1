"""Sources of measurements that say what they should, and sources that lie."""

from __future__ import annotations

import itertools
import json
import math
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitmodel.adapters.git.repository import Repository
from gitmodel.adapters.metrics.alertmanager import Inbox
from gitmodel.domain.alert import Alert
from gitmodel.domain.artifact import Artifact
from gitmodel.domain.digest import Digest
from gitmodel.domain.sources import source_from_dict
from gitmodel.operations import measuring
from gitmodel.operations.measuring import measure
from tests.support.clocks import FixedClock
from tests.support.liar import Liar, lying
from tests.support.workbench import git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitmodel.domain.measurement import Measurement

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HTML = b"<html><body>Please log in</body></html>"
SECRET = "s3cret-t0ken"  # noqa: S105


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying() as running:
        yield running


@pytest.fixture
def here(tmp_path: Path) -> Repository:
    git(tmp_path, "init", "-q", "r")
    return Repository.discover(tmp_path / "r")


def ask(repository: Repository, kind: str, **options: Any) -> Measurement:
    """Measure in bounded time; whatever comes is fit to be kept and shown.

    Which addresses and directories are allowed, test_break_attempt_watch tells.
    """
    given = {
        key: options.pop(key)
        for key in ("artifacts", "environment", "inbox")
        if key in options
    }
    for key in {"prometheus": ["address"], "integrity": ["path"]}.get(kind, []):
        allow(repository, options[key])
    source = source_from_dict({kind: options})
    started = time.monotonic()
    found = measure(repository, source, FixedClock(NOW), **given)
    assert time.monotonic() - started < 25
    assert found.taken_at == NOW
    assert found.detail.isprintable()
    assert 0 < len(found.detail) <= 500
    assert SECRET not in found.detail
    assert found.status == "value" or found.value is None
    json.dumps(found.value, ensure_ascii=False).encode()
    return found


def allow(repository: Repository, what: object) -> None:
    git(repository.git_dir, "config", "--add", "gitmodel.allow", str(what))


def broken(found: Measurement) -> str:
    assert found.status == "error", found
    return found.detail


def nothing(found: Measurement) -> str:
    assert found.status == "no_data", found
    return found.detail


def values(found: Measurement) -> Any:
    assert found.status == "value", found
    return found.value


# Prometheus.


def vector(*samples: str) -> bytes:
    result = [{"metric": {}, "value": [1.5, sample]} for sample in samples]
    data = {"resultType": "vector", "result": result}
    return json.dumps({"status": "success", "data": data}).encode()


def of_prometheus(
    here: Repository, liar: Liar, query: str = "up", timeout: int = 20
) -> Measurement:
    return ask(here, "prometheus", address=liar.url, query=query, timeout=timeout)


def test_prometheus_gives_a_number_for_each_series(
    here: Repository, liar: Liar
) -> None:
    liar.says(vector("0.93", "-1e3", "+Inf"))

    found = of_prometheus(here, liar, 'rate(x{a="b c"}[5m])\n/ 2')

    assert values(found) == [0.93, -1000.0, math.inf]
    asked = "/api/v1/query?query=rate%28x%7Ba%3D%22b+c%22%7D%5B5m%5D%29%0A%2F+2"
    assert liar.heard[0].startswith(f"GET {asked}&timeout=20s HTTP/1.1".encode())


def test_nothing_divided_by_nothing_is_a_value(here: Repository, liar: Liar) -> None:
    liar.says(vector("NaN"))

    [value] = values(of_prometheus(here, liar))

    assert math.isnan(value)


def test_a_scalar_is_one_number(here: Repository, liar: Liar) -> None:
    data = {"resultType": "scalar", "result": [1, "4"]}
    liar.says(json.dumps({"status": "success", "data": data}).encode())

    assert values(of_prometheus(here, liar)) == [4.0]


def test_an_empty_vector_is_no_data(here: Repository, liar: Liar) -> None:
    liar.says(vector())

    assert "no series" in nothing(of_prometheus(here, liar))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", "200 OK", "nothing at all"),
        (HTML, "200 OK", "not JSON"),
        (HTML, "500 Internal Server Error", "500"),
        (b"[]", "200 OK", "no object"),
        (b"{}", "200 OK", "no status"),
        (b'{"status": "success"}', "200 OK", "no vector"),
        (
            b'{"status": "success", "data": {"resultType": "vector"}}',
            "200 OK",
            "no vec",
        ),
        (
            b'{"status":"error","error":"parse\\u001b[31m error"}',
            "200 OK",
            "parse [31m",
        ),
        (b'{"status":"error","errorType":"timeout"}', "503 Busy", "(503): timeout"),
        (vector("1"), "500 Oh", "fails (500)"),
        (vector("much"), "200 OK", "no number"),
        (vector("1", "\u0661"), "200 OK", "no number"),
        (vector("1").replace(b'"1"', b"1"), "200 OK", "no number"),
        (vector("1").replace(b'"value"', b'"histogram"'), "200 OK", "no number"),
        (vector("1").replace(b'"vector"', b'"matrix"'), "200 OK", "gives a matrix"),
        (vector("1").replace(b'"vector"', b'"string"'), "200 OK", "gives a string"),
        (vector("1")[:-1] + b', "isPartial": true}', "200 OK", "partial"),
        (vector(*["1"] * 10_001), "200 OK", "10,000 series"),
        (b"[" * 100_000, "200 OK", "deep"),
        (b'{"status": "success", "status": "error"}', "200 OK", "twice"),
        (b"\xff\xfe", "200 OK", "UTF-8"),
    ],
)
def test_a_prometheus_that_talks_nonsense(
    here: Repository, liar: Liar, body: bytes, status: str, said: str
) -> None:
    liar.says(body, status)

    assert said in broken(of_prometheus(here, liar))


def test_a_prometheus_that_moved_is_not_followed(here: Repository, liar: Liar) -> None:
    liar.says(b"", "302 Found", "Location: http://elsewhere.example.com/")

    detail = broken(of_prometheus(here, liar))

    assert "elsewhere.example.com" in detail
    assert "not followed" in detail
    assert len(liar.heard) == 1


def test_nobody_is_there(here: Repository) -> None:
    url = "http://127.0.0.1:1"  # a port that only root could listen on

    detail = broken(ask(here, "prometheus", address=url, query="up", timeout=1))

    assert "refused" in detail


def test_a_prometheus_that_hangs(here: Repository, liar: Liar) -> None:
    liar.hangs = True

    assert "within 1 seconds" in broken(of_prometheus(here, liar, timeout=1))


def test_a_prometheus_that_drips(here: Repository, liar: Liar) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
    liar.pieces, liar.pause = itertools.chain([head], itertools.repeat(b" ")), 0.02

    assert "within 1 seconds" in broken(of_prometheus(here, liar, timeout=1))


def test_a_prometheus_that_never_stops(here: Repository, liar: Liar) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    liar.pieces = itertools.chain([head], itertools.repeat(b"[" * 65536))

    assert "too long" in broken(of_prometheus(here, liar))


# Any web server.


def of_web(here: Repository, liar: Liar, **options: Any) -> Measurement:
    allow(here, liar.url)
    return ask(here, "web", url=f"{liar.url}/m?key=1", timeout=20, **options)


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        (b"0.5", None, 0.5),
        (b"false", None, False),
        (b'{"latency": {"p95": [10, 20]}}', "$.latency.p95[-1]", 20),
        (b'{"flags": []}', "$.flags", []),
    ],
)
def test_the_part_of_an_answer_that_is_asked_for(
    here: Repository, liar: Liar, body: bytes, path: str | None, value: Any
) -> None:
    liar.says(body)
    options = {} if path is None else {"jsonPath": path}

    assert values(of_web(here, liar, **options)) == value


def test_null_is_no_data(here: Repository, liar: Liar) -> None:
    liar.says(b'{"accuracy": null}')

    assert "null" in nothing(of_web(here, liar, jsonPath="$.accuracy"))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", "200 OK", "nothing at all"),
        (b"", "204 No Content", "nothing at all"),
        (HTML, "200 OK", "not JSON"),
        (b'{"a": 1}', "200 OK", "has no member 'accuracy'"),
        (b"[1]", "200 OK", "has no member 'accuracy'"),
        (b'{"accuracy": 1}', "500 Oh", "status 500"),
        (b'{"accuracy": 1}', "404 Not Found", "status 404"),
        (b'{"accuracy": 1', "200 OK", "not JSON"),
    ],
)
def test_a_web_server_that_talks_nonsense(
    here: Repository, liar: Liar, body: bytes, status: str, said: str
) -> None:
    liar.says(body, status)

    assert said in broken(of_web(here, liar, jsonPath="$.accuracy"))


def test_a_path_that_is_none_is_an_error(here: Repository, liar: Liar) -> None:
    liar.says(b"{}")

    assert "no path" in broken(of_web(here, liar, jsonPath="$..a"))


def test_headers_and_method(here: Repository, liar: Liar) -> None:
    liar.says(b"1")
    headers = [{"key": "X-Scope-OrgID", "value": "ops"}]

    values(of_web(here, liar, method="POST", headers=headers))

    assert liar.heard[0].startswith(b"POST /m?key=1 HTTP/1.1\r\n")
    assert b"\r\nX-Scope-Orgid: ops\r\n" in liar.heard[0]
    assert b"\r\nContent-Length: 0\r\n" in liar.heard[0]


TOKEN = [{"key": "Authorization", "valueFromEnv": "GITMODEL_METRIC_TOKEN"}]


def test_an_address_is_asked_only_if_this_machine_allows_it(
    here: Repository, liar: Liar
) -> None:
    liar.says(b"1")
    asked = {
        "url": f"{liar.url}/m",
        "headers": TOKEN,
        "environment": {"GITMODEL_METRIC_TOKEN": SECRET},
    }

    detail = broken(ask(here, "web", **asked))

    assert f"git config --add gitmodel.allow {liar.url}" in detail
    assert liar.heard == []
    allow(here, liar.url)
    assert values(ask(here, "web", **asked)) == 1
    assert f"Authorization: {SECRET}\r\n".encode() in liar.heard[0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "is not set"),
        ("", "is not set"),
        (f"{SECRET}\r\nX-Evil: 1", "what no header can"),
        (f"{SECRET}€", "what no header can"),
    ],
)
def test_a_secret_that_cannot_be_sent(
    here: Repository, liar: Liar, value: str | None, said: str
) -> None:
    environment = {} if value is None else {"GITMODEL_METRIC_TOKEN": value}

    assert said in broken(of_web(here, liar, headers=TOKEN, environment=environment))
    assert liar.heard == []


def test_a_secret_is_not_sent_in_the_clear(here: Repository) -> None:
    url = "http://metrics.example.com"
    allow(here, url)
    environment = {"GITMODEL_METRIC_TOKEN": SECRET}

    found = ask(here, "web", url=url, headers=TOKEN, environment=environment)

    assert "not encrypted" in broken(found)


# Files.


@pytest.fixture
def report(here: Repository, tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    allow(here, path)
    return path


def wrote(report: Path, document: Any, age: timedelta = timedelta()) -> Path:
    report.write_text(document if isinstance(document, str) else json.dumps(document))
    moment = (NOW - age).timestamp()
    os.utime(report, (moment, moment))
    return report


def test_a_file_and_a_part_of_it(here: Repository, report: Path) -> None:
    wrote(report, {"backdoor": {"detected": True}, "score": math.nan})

    found = ask(here, "file", path=str(report), jsonPath="$.backdoor.detected")

    assert values(found) is True
    [score] = [values(ask(here, "file", path=str(report), jsonPath="$.score"))]
    assert math.isnan(score)


def test_a_relative_path_begins_at_the_work_tree(here: Repository) -> None:
    assert here.work_tree is not None
    wrote(here.work_tree / "r.json", [1])
    git(here.work_tree, "add", "r.json")

    assert values(ask(here, "file", path="r.json")) == [1]


def test_a_link_is_followed(here: Repository, report: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(wrote(report, 7))

    assert values(ask(here, "file", path=str(tmp_path / "current"))) == 7


@pytest.mark.parametrize("way", ["absolute", "relative", "link", "git"])
def test_other_files_are_read_only_if_this_machine_allows_it(
    here: Repository, tmp_path: Path, way: str
) -> None:
    assert here.work_tree is not None
    secret = wrote(tmp_path / "credentials.json", {"token": SECRET})
    (here.work_tree / "link").symlink_to(secret)
    wrote(here.git_dir / "state.json", {"token": SECRET})
    path = {
        "absolute": str(secret),
        "relative": "../credentials.json",
        "link": "link",
        "git": ".git/state.json",
    }[way]

    detail = broken(ask(here, "file", path=path, jsonPath="$.token"))

    assert "git config --add gitmodel.allow" in detail
    allow(here, (here.work_tree / path).resolve())
    assert values(ask(here, "file", path=path, jsonPath="$.token")) == SECRET


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(minutes=59), "value"),
        (timedelta(minutes=61), "no_data"),
        (timedelta(days=400), "no_data"),
        (timedelta(seconds=-30), "value"),
        (timedelta(hours=-2), "error"),
    ],
)
def test_an_old_file_is_no_data(
    here: Repository, report: Path, age: timedelta, status: str
) -> None:
    wrote(report, {"a": 1}, age)

    assert ask(here, "file", path=str(report), maxAge="1h").status == status


def test_any_age_will_do_where_none_is_asked_for(
    here: Repository, report: Path
) -> None:
    wrote(report, 1, timedelta(days=4000))

    assert values(ask(here, "file", path=str(report))) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing at all"),
        (" \n", "nothing at all"),
        ('{"a": ', "not JSON (line 1, column 7)"),
        ("<html>", "not JSON"),
        ('{"a": 1, "a": 2}', "twice"),
    ],
)
def test_a_file_that_is_no_json(
    here: Repository, report: Path, text: str, said: str
) -> None:
    assert said in broken(ask(here, "file", path=str(wrote(report, text))))


def test_files_that_are_none(here: Repository, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate((16 << 20) + 1)

    for path, said in {
        tmp_path / "pipe": "not a regular file",
        tmp_path: "not a regular file",
        Path("/dev/zero"): "not a regular file",
        tmp_path / "huge": "16 MiB",
        tmp_path / "nothing": "No such file",
        tmp_path / ("x" * 300): "too long",
        tmp_path / "round": "",  # each Python finds out in another place
    }.items():
        allow(here, path)
        assert said in broken(ask(here, "file", path=str(path)))


def evidently(*tests: tuple[str, str]) -> dict[str, Any]:
    return {
        "metrics": [{"metric_name": "DriftedColumnsCount", "value": {"count": 2.0}}],
        "tests": [{"id": "x", "name": name, "status": said} for name, said in tests],
    }


@pytest.mark.parametrize(
    ("tests", "status", "value"),
    [
        ((("a", "SUCCESS"), ("b", "FAIL"), ("c", "FAIL")), "value", ["b", "c"]),
        ((("a", "SUCCESS"), ("b", "WARNING")), "value", []),
        ((("a", "FAIL"), ("b", "ERROR")), "value", ["a"]),
        ((("a", "SUCCESS"), ("b", "ERROR")), "error", None),
        ((("a", "SKIPPED"), ("b", "ERROR")), "no_data", None),
        ((), "no_data", None),
    ],
)
def test_reports_of_evidently(
    here: Repository, report: Path, tests: Any, status: str, value: Any
) -> None:
    wrote(report, evidently(*tests))

    found = ask(here, "file", path=str(report), preset="evidently")

    assert (found.status, found.value) == (status, value)


@pytest.mark.parametrize(
    "document", [[], {}, {"tests": {}}, {"tests": [1]}, {"tests": [{"name": "a"}]}]
)
def test_what_evidently_did_not_write(
    here: Repository, report: Path, document: Any
) -> None:
    wrote(report, document)

    found = ask(here, "file", path=str(report), preset="evidently")

    assert "not Evidently's" in broken(found)


# Programs.


@pytest.fixture
def python(here: Repository) -> str:
    allow(here, sys.executable)
    return sys.executable


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("0.25\n", 0.25),
        (" .5 ", 0.5),
        ("-3", -3.0),
        ("12", 12),
        ("1e-3", 0.001),
        ("inf", math.inf),
        ('{"a": [1]}', {"a": [1]}),
        ('"text"', "text"),
    ],
)
def test_what_a_program_prints(
    here: Repository, python: str, printed: str, value: Any
) -> None:
    code = f"print({printed!r}, end='')"

    assert values(ask(here, "exec", argv=[python, "-S", "-c", code])) == value


def test_nan_that_a_program_prints(here: Repository, python: str) -> None:
    found = ask(here, "exec", argv=[python, "-S", "-c", "print('nan')"])

    assert math.isnan(values(found))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("pass", "nothing at all"),
        ("print('well')", "not JSON"),
        ("print('1_0')", "not JSON"),
        (
            "import sys; print(1); sys.exit('it\\x1b[1m broke')",
            "status 1: it [1m broke",
        ),
        ("import os; os.kill(os.getpid(), 9)", "status -9"),
        ("import time; time.sleep(600)", "did not end within 1 seconds"),
        ("print('1' * 2_000_000)", "printed more than"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "UTF-8"),
    ],
)
def test_a_program_that_fails(
    here: Repository, python: str, code: str, said: str
) -> None:
    argv = [python, "-S", "-c", code]

    timeout = 1 if "sleep" in code else 20
    assert said in broken(ask(here, "exec", argv=argv, timeout=timeout))


def test_a_program_that_this_machine_does_not_allow(
    here: Repository, tmp_path: Path
) -> None:
    program = tmp_path / "scan"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\necho 1\n")
    program.chmod(0o755)

    detail = broken(ask(here, "exec", argv=[str(program)]))

    assert f"git config --add gitmodel.allow {program}" in detail
    assert not (tmp_path / "ran").exists()
    allow(here, program)
    assert values(ask(here, "exec", argv=[str(program)])) == 1


def test_a_program_that_cannot_be_started(here: Repository, tmp_path: Path) -> None:
    program = tmp_path / "scan"
    allow(here, program)

    assert "cannot be started" in broken(ask(here, "exec", argv=[str(program)]))
    assert "no program" in broken(ask(here, "exec", argv=["no-such-program-here"]))


# Files that are served.


@pytest.fixture
def served(tmp_path: Path) -> tuple[Path, list[Artifact]]:
    place = tmp_path / "served"
    files = {"model.bin": b"weights", "tokenizer/vocab.txt": b"words", "empty": b""}
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place, [
        Artifact(
            path=name, role="other", digest=Digest.of(data), size=len(data), format="x"
        )
        for name, data in files.items()
    ]


def problems(here: Repository, served: tuple[Path, list[Artifact]]) -> dict[str, str]:
    found = values(ask(here, "integrity", path=str(served[0]), artifacts=served[1]))
    return {each["path"]: each["problem"] for each in found}


def test_what_is_served_is_what_is_live(here: Repository, served: Any) -> None:
    (served[0] / ".cache").mkdir()
    (served[0] / ".cache/lock").touch()

    assert problems(here, served) == {}


def test_everything_that_is_wrong_is_told(here: Repository, served: Any) -> None:
    place, _ = served
    (place / "model.bin").write_bytes(b"Weights")
    (place / "tokenizer/vocab.txt").write_bytes(b"more words")
    (place / "empty").unlink()
    os.mkfifo(place / "empty")
    (place / "tokenizer/evil\x1b.py").touch()

    assert problems(here, served) == {
        "model.bin": "has other bytes",
        "tokenizer/vocab.txt": "has 10 bytes instead of 5",
        "empty": "is no regular file",
        "tokenizer/evil .py": "belongs to no version",
    }
    (place / "tokenizer/vocab.txt").unlink()
    assert problems(here, served)["tokenizer/vocab.txt"] == "is missing"


def test_links_lead_to_what_is_served(
    here: Repository, served: Any, tmp_path: Path
) -> None:
    place, artifacts = served
    links = tmp_path / "links"
    links.mkdir()
    for name in ("model.bin", "empty", "tokenizer"):
        (links / name).symlink_to(place / name)

    assert problems(here, (links, artifacts)) == {}
    (place / "model.bin").write_bytes(b"Weights")
    assert problems(here, (links, artifacts)) == {"model.bin": "has other bytes"}


def test_a_directory_that_says_nothing_of_the_version(
    here: Repository, served: Any, tmp_path: Path
) -> None:
    place, artifacts = served
    (tmp_path / "empty").mkdir()

    def of(path: Path, known: Any = artifacts) -> str:
        return broken(ask(here, "integrity", path=str(path), artifacts=known))

    assert "no such directory" in of(tmp_path / "nowhere")
    assert "no such directory" in of(place / "model.bin")
    assert "holds no file" in of(tmp_path / "empty")
    assert "no version is live" in of(place, ())


# Alerts.


def test_alerts_that_fire(here: Repository) -> None:
    inbox = Inbox()
    labels = {"alertname": "Errors", "gitmodel_model": "fraud"}
    old, new = NOW - timedelta(hours=1), NOW
    alerts = [
        Alert("firing", labels | {"pod": "b"}, {"summary": "bad"}, new, "f2"),
        Alert("firing", labels | {"pod": "a"}, {}, old, "f1"),
        Alert("firing", labels | {"gitmodel_model": "churn"}, {}, old, "f3"),
        Alert("resolved", labels, {}, old, "f4"),
    ]
    wanted = {"alertname": "Errors", "labels": {"gitmodel_model": "fraud"}}

    assert "nobody listens" in nothing(ask(here, "alertmanager", **wanted))
    assert "not said" in nothing(ask(here, "alertmanager", inbox=inbox, **wanted))
    inbox.put(alerts)
    found = values(ask(here, "alertmanager", inbox=inbox, **wanted))

    assert [each["fingerprint"] for each in found] == ["f1", "f2"]
    assert found[1] == {
        "labels": labels | {"pod": "b"},
        "annotations": {"summary": "bad"},
        "startsAt": "2026-03-01T12:00:00Z",
        "fingerprint": "f2",
    }
    other = {"alertname": "Other"}
    assert values(ask(here, "alertmanager", inbox=inbox, **other)) == []


def test_hashing_what_is_served_ends_in_time(
    here: Repository, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "LONGEST_TIMEOUT", timedelta())
    path, known = str(served[0]), served[1]
    detail = broken(ask(here, "integrity", path=path, artifacts=known))
    assert "more than 0 seconds" in detail
