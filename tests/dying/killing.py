"""Kill a run at a planned moment, look at what it left, run again, and compare with the undisturbed twin.

A moment is a step of the run and a delay within it, drawn with a fixed seed: half of them uniform in time over the whole
run, half uniform over the steps, so that the short ones, in which files are renamed, have their share. A run that was
faster than the plan is repeated with half the delay: fifty kills are fifty.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from etl.load.archive import list_releases, verify_release
from tests.dying.office import Scene, command, differences, fingerprints, leftovers

PUBLIC = ("datasets", "public")
LIMIT = 120  # seconds that a run may take


@dataclass(frozen=True)
class Moment:
    """When to kill: the line that a step writes when it begins (empty: the start of the process), and a delay."""

    number: int
    step: str
    delay: float


@dataclass(frozen=True)
class Fate:
    """What became of one kill; `faults` are sentences, none where all was well."""

    scene: str
    moment: Moment
    faults: tuple[str, ...]


def moments(scene: Scene, *, count: int, seed: int) -> Iterator[Moment]:
    """Draw moments spread over a run."""
    first = scene.timing.starts[0][1]
    starts = (("", 0.7 * first), *scene.timing.starts)
    ends = (*(start for _, start in starts[1:]), scene.timing.seconds)
    for number in range(count):
        draw = Random(f"{scene.name}-{seed}-{number}")
        if number % 2:
            at = draw.uniform(starts[0][1], scene.timing.seconds)
            step, start = max((each for each in starts if each[1] <= at), key=lambda each: each[1])
            yield Moment(number, step, at - start if step else at)
        else:
            chosen = draw.randrange(len(starts))
            step, start = starts[chosen]
            delay = draw.uniform(0, ends[chosen] - start)
            yield Moment(number, step, delay if step else start + delay)


def suffer(scene: Scene, moment: Moment, folder: Path) -> Fate:
    """Kill a run of a fresh copy in `folder` at a moment, look, run again, compare; the copy is removed when all is well."""
    root = folder / f"{scene.name}-{moment.number}"
    delay = moment.delay
    while not kill(scene.copy(root), scene.arguments, step=moment.step, delay=delay):
        shutil.rmtree(root)
        delay /= 2
    faults = [*look(scene, root), *recover(scene, root)]
    if not faults:
        shutil.rmtree(root)
    return Fate(scene.name, moment, tuple(faults))


def kill(root: Path, arguments: tuple[str, ...], *, step: str, delay: float) -> bool:
    """Start a run and kill it `delay` seconds after a step began; False where it ended before."""
    with subprocess.Popen(command(root, *arguments), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        if step and step not in (line.rstrip() for line in process.stderr):  # reads up to that line and no further
            return False
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    return False


def look(scene: Scene, root: Path) -> list[str]:
    """Say what is wrong with the public side of a dead instance: a reader sees the last release, or the new one, whole."""
    was, will, now = (fingerprints(each, PUBLIC) for each in (scene.before, scene.after, root))
    faults = [*_served(was, will, now, root, "datasets"), *_served(was, will, now, root, "public")]
    lost = [name for name in was if name.startswith("datasets/releases/") and now.get(name) != was[name]]
    faults += [f"released bytes changed: {name}" for name in lost]
    for release in list_releases(root / "datasets" / "releases"):
        verify_release(release)
    odd = [n for n in now if n.startswith("datasets/releases/") and now[n] != will.get(n)]
    return faults + [f"a release differs from the undisturbed one: {name}" for name in odd]


def recover(scene: Scene, root: Path) -> list[str]:
    """Run again and say how the outcome differs from the twin that nobody disturbed."""
    result = subprocess.run(command(root, *scene.arguments), capture_output=True, text=True, check=False, timeout=LIMIT)
    if result.returncode:
        return [f"the next run ended with {result.returncode}: {result.stderr[-600:]}"]
    differ = differences(fingerprints(root), fingerprints(scene.after))
    return [f"differs from the undisturbed run: {name}" for name in differ] + [
        f"left behind: {name}" for name in leftovers(root)
    ]


def _served(
    was: Mapping[str, str], will: Mapping[str, str], now: Mapping[str, str], root: Path, side: str
) -> Iterator[str]:
    """Compare what a pointer names with what it named before, or will name."""
    pointer = f"{side}/current.json"
    if pointer not in now:
        if pointer in was:
            yield f"{pointer} is gone"
        return
    whole = [state for state in (was, will) if state.get(pointer) == now[pointer]]
    if not whole:
        yield f"{pointer} is neither the old nor the new one"
        return
    current = json.loads((root / pointer).read_text(encoding="utf-8"))
    named = f"{side}/{current['database']}" if side == "datasets" else f"{side}/{current['release_id']}/"
    parts = [{name: value for name, value in state.items() if name.startswith(named)} for state in (now, *whole)]
    if parts[0] not in parts[1:]:
        yield f"{named} is not what was released"
