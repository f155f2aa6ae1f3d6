"""The program: exit codes, what people and machines read, and what an unexpected error shows."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import portal
from etl.cli import main
from etl.cli.journal import close_journal
from etl.cli.loop import Loop, run_once
from etl.cli.options import write_json
from etl.cli.summary import tell_kept, tell_site
from etl.errors import UsageError
from etl.instance import Instance
from etl.load import ReleaseSummary

VERBS = (
    "run",
    "extract",
    "release",
    "build",
    "serve",
    "schedule",
    "status",
    "init",
    "audit",
    "withdraw",
    "correct",
    "demo",
)


@pytest.fixture(autouse=True)
def _keep_hook() -> Iterator[None]:
    hook = sys.excepthook
    yield
    sys.excepthook = hook
    close_journal()


def leave(*arguments: str) -> int:
    """Run the program and give its exit code."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return int(left.value.code or 0)


@pytest.fixture
def started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """An instance as `init` leaves it."""
    assert leave("init", str(tmp_path / "own")) == 0
    capsys.readouterr()
    return tmp_path / "own"


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """The first screen of help is the list of verbs."""
    assert leave("--help") == 0
    text = capsys.readouterr().out
    assert [verb for verb in VERBS if verb not in text] == []


@pytest.mark.parametrize("group", [(), ("demo",)])
def test_help_says_whole_sentences(capsys: pytest.CaptureFixture[str], group: tuple[str, ...]) -> None:
    """A sentence that is cut off does not tell one verb from another."""
    assert leave(*group, "--help") == 0
    assert re.findall(r"\w+\.\.\.", capsys.readouterr().out) == []


def test_a_reader_that_goes_does_no_harm(started: Path) -> None:
    """`shafaf status --json | head -0`: what was to be done is done, and nothing is said."""
    command = [sys.executable, "-m", "etl", "--portal", str(started), "status", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        said = run.stderr.read()
    assert (run.returncode, "Traceback" in said, "Broken pipe" in said) == (0, False, False)


def test_a_file_in_the_place_of_a_folder_is_said(started: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 23 with what to do, whatever stands there."""
    shutil.rmtree(started / "var", ignore_errors=True)
    (started / "var").write_text("a note", encoding="utf-8")
    assert leave("--portal", str(started), "run") == 23
    assert "errors.md#misplaced-file" in capsys.readouterr().err


def test_an_unknown_verb_is_a_usage_error() -> None:
    """Exit 2, as everywhere."""
    assert leave("releese") == 2


def test_an_instance_named_too_late_is_told_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """Everyone types `run --portal X` once."""
    assert leave("run", "--portal", "x") == 2
    assert "before the verb" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("inside", "command"), [(True, "shafaf serve --demo"), (False, "shafaf --portal own serve --demo")]
)
def test_the_way_to_look_at_the_site_can_be_typed(
    started: Path, monkeypatch: pytest.MonkeyPatch, inside: bool, command: str
) -> None:
    """From the instance or from outside: the private folders beside it make a plain `serve` refuse."""
    monkeypatch.chdir(started if inside else started.parent)
    assert f"next: {command} →" in (tell_site(Instance(started), started / "public" / "1405-06") or "")


def test_a_folder_without_settings_is_a_settings_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 22, three parts on stderr, nothing on stdout."""
    assert leave("--portal", str(tmp_path), "status") == 22
    shown = capsys.readouterr()
    assert shown.out == ""
    for part in ("found:", "expected:", "do:", "errors.md#no-instance"):
        assert part in shown.err


def test_init_gives_settings_that_load(started: Path) -> None:
    """What `init` writes is valid, and is not written over."""
    assert Instance(started).settings.policy.k == 10
    assert leave("init", str(started)) == 2


def test_status_before_any_run(started: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """People read stderr, machines one JSON object on stdout."""
    assert leave("--portal", str(started), "status", "--json") == 0
    shown = capsys.readouterr()
    assert "nothing extracted yet" in shown.err
    state = json.loads(shown.out)
    assert (state["released"], state["due"], state["site"]) == ([], [], None)


def test_a_dry_run_writes_nothing(started: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run --dry-run` says what would be released and leaves the folder as it was."""
    before = sorted(started.rglob("*"))
    assert leave("--portal", str(started), "run", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["due"] == []
    assert sorted(started.rglob("*")) == before


def test_a_held_lock_is_told(started: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 75 where another run is at work."""
    with Instance(started).lock():
        assert leave("--portal", str(started), "run") == 75
        assert leave("--portal", str(started), "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["is_locked"] is True


def test_errors_are_logged_by_code_only(started: Path) -> None:
    """The journal holds the slug and the exit code, nothing of the message."""
    with Instance(started).lock():
        leave("--portal", str(started), "run")
    close_journal()
    lines = [
        json.loads(line) for line in (started / "var" / "log" / "run.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert lines[-1]["event"] == "error"
    assert lines[-1]["slug"] == "locked"
    assert len({line["run_id"] for line in lines}) == 1
    assert (started / "var").stat().st_mode & 0o077 == 0


def test_an_unexpected_error_is_one_line(
    started: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback and no value, unless SHAFAF_DEBUG asks for them."""
    leave("--portal", str(started), "status")
    capsys.readouterr()
    secret = "کیان‌دخت 0071234567"
    _raise_unexpected(secret)
    quiet = capsys.readouterr().err
    assert "internal error: ValueError at" in quiet
    assert secret not in quiet
    assert "Traceback" not in quiet
    monkeypatch.setenv("SHAFAF_DEBUG", "1")
    _raise_unexpected(secret)
    assert "Traceback" in capsys.readouterr().err


def test_a_time_that_is_none_is_refused(started: Path) -> None:
    """`schedule --at 25:00` ends with a usage error, not a loop."""
    assert leave("--portal", str(started), "schedule", "--at", "25:00") == 2


def test_the_loop_outlives_a_failed_job(started: Path) -> None:
    """A job that ends with an error is followed by the next one."""
    codes, ran = iter([21, 0, 1]), []

    def job(instance: Instance) -> int:
        ran.append(next(codes))
        return ran[-1]

    plan = Loop(Instance(started), every=5, job=job).plan()
    for _ in range(3):
        plan.run_all()
    assert ran == [21, 0, 1]
    assert len(plan.jobs) == 1


def test_the_loop_looks_at_the_clock_every_minute(started: Path) -> None:
    """Between jobs it sleeps for a minute at most, and Ctrl-C ends it."""
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Loop(Instance(started), every=5, sleep=sleep).run()
    assert all(0 < nap <= 60 for nap in naps)


def test_a_job_runs_in_its_own_process(started: Path) -> None:
    """The guard of the loop: an error inside is an exit code outside."""
    with Instance(started).lock():
        assert run_once(Instance(started)) == 75


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("word", ["next run", "click"])
def test_a_stopped_program_says_so(started: Path, word: str, number: int, code: int) -> None:
    """Ctrl-C and SIGTERM end it in one line with a code of their own, while it works and while it is still being loaded."""
    command = [sys.executable, "-X", "importtime", "-m", "etl", "--portal", str(started), "schedule"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_ctrl_c) as process:
        assert process.stderr is not None
        loading = iter(process.stderr)
        next(line for line in loading if word in line)
        process.send_signal(number)
        said = [line for line in loading if not line.startswith("import time")]
    assert (process.returncode, said[-1]) == (code, "stopped; what was released is whole\n")
    assert not [line for line in said if "Traceback" in line]


ASKING = """
import os, sys, time
from etl.cli import main, program
def ask(**_):
    try:
        exec("os.kill(os.getpid(), int(sys.argv.pop())); time.sleep(60)")  # as dataclasses are made
    except KeyboardInterrupt:
        raise RuntimeError("Query interrupted") from None
program.program.main = ask
main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_program_stopped_in_a_query_says_so(tmp_path: Path, number: int, code: int) -> None:
    """DuckDB answers a signal by a RuntimeError; that is no internal error, and the code is that of the signal."""
    (tmp_path / "asking.py").write_text(ASKING, encoding="utf-8")
    command = [sys.executable, "-m", "asking", str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=_heed_ctrl_c, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (code, "stopped; what was released is whole\n")


ENDED = """
import os, sys
from etl.cli import main
class Late:
    def __del__(self, kill=os.kill, own=os.getpid(), number=int(sys.argv.pop())):
        kill(own, number)
sys.late = Late()
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_done_is_gone(tmp_path: Path, number: int) -> None:
    """While Python ends no signal is answered, and one that comes then would end the program without a word."""
    (tmp_path / "ended.py").write_text(ENDED, encoding="utf-8")
    command = [sys.executable, "-m", "ended", "--version", str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=_heed_ctrl_c, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("shafaf, version")


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run of the tests in the background ignores it


def test_a_bad_time_has_three_parts(started: Path) -> None:
    """The error says what was found and what to write."""
    with pytest.raises(UsageError, match="HH:MM"):
        Loop(Instance(started), at="soon").plan()


def test_an_address_is_named_only_where_it_is_served(started: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`serve` beside private folders is refused (22), and no address was promised."""
    (started / "var").mkdir(mode=0o700)
    assert leave("--portal", str(started), "serve") == 22
    shown = capsys.readouterr()
    assert "http://" not in shown.out + shown.err
    assert "serve-boundary" in shown.err


def test_kept_shares_name_only_columns_of_the_ladder(started: Path) -> None:
    """A column that an instance never shows is not reported as lost."""
    policy = Instance(started).settings.policy
    released = ReleaseSummary(
        release_id="1405-06", group_count=1, case_count=50, floor_count=0, min_case_count=50, kept={"outcome": 0.9}
    )
    short = dataclasses.replace(policy, ladder=({"outcome": "code"},))
    assert tell_kept([released], short) == "kept: outcome 90 %"
    assert tell_kept([released], policy) == "kept: outcome 90 %, unit 0 %, trace 0 %"
    assert tell_kept([], policy) is None


def test_reports_become_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Paths, tuples and nested values are plain in JSON."""
    write_json({"path": tmp_path, "parts": (1, {"x": None})})
    assert json.loads(capsys.readouterr().out) == {"path": str(tmp_path), "parts": [1, {"x": None}]}


def _raise_unexpected(text: str) -> None:
    try:
        int(text)
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def test_the_program_starts_without_what_only_pages_and_server_need() -> None:
    """A run that extracts or releases does not wait for charts and Datasette to load."""
    heavy = ("datasette", "starlette", "uvicorn", "plotly", "portal.build", "portal.serving")
    found = "import sys, etl.cli; print(*(name for name in sys.argv[1:] if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", found, *heavy], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_the_public_functions_of_the_portal_are_there() -> None:
    """Each name of `portal` is loaded when it is asked for, and no other name is."""
    assert [name for name in portal.__all__ if not callable(getattr(portal, name))] == []
    with pytest.raises(AttributeError, match="nothing"):
        portal.nothing
