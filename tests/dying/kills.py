"""`make kills`: kill -9 at random moments of the first run, of a later run and of a run that builds all again.

KILLS says how many (50), SEED draws other moments. It ends with 1 where a single kill did harm, and keeps that instance.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import chain, zip_longest
from pathlib import Path

from tests.dying.killing import Fate, moments, suffer
from tests.dying.office import make_scenes

PROJECT = Path(__file__).resolve().parents[2]
SIDE_BY_SIDE = 2


def main() -> int:
    """Kill as often as KILLS says and tell what happened."""
    kills, seed = int(os.environ.get("KILLS", "50")), int(os.environ.get("SEED", "1403"))
    folder = Path(tempfile.mkdtemp(prefix="shafaf-kills-"))
    scenes = make_scenes(PROJECT, folder)
    plans = [[(scene, moment) for moment in moments(scene, count=kills, seed=seed)] for scene in scenes]
    plan = [each for each in chain.from_iterable(zip_longest(*plans)) if each][:kills]
    started = time.perf_counter()
    fates: list[Fate] = []
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for done in as_completed(pool.submit(suffer, scene, moment, folder) for scene, moment in plan):
            fates.append(done.result())
            tell(fates[-1])
    harmed = [fate for fate in fates if fate.faults]
    steps = Counter(fate.moment.step.split(" (")[0].removesuffix(" …") or "start" for fate in fates)
    print("killed in: " + " · ".join(f"{step} {count}" for step, count in steps.most_common()))
    seconds = time.perf_counter() - started
    print(f"{len(fates) - len(harmed)} of {len(fates)} kills healed whole · seed {seed} · {seconds:.0f} s")
    if harmed:
        print(f"kept for a look: {folder}")
        return 1
    for scene in scenes:
        remove(scene.before, scene.after)
    remove(folder)
    return 0


def tell(fate: Fate) -> None:
    """Write a line of one kill, and what it did harm to."""
    verdict = "healed" if not fate.faults else "HARM"
    print(f"{verdict}  {fate.scene:6} {fate.moment.step or 'start'} + {fate.moment.delay:.3f} s", flush=True)
    for fault in fate.faults[:8]:
        print(f"    {fault}", flush=True)


def remove(*folders: Path) -> None:
    """Remove folders with all below."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
