"""Put a built site in place so that readers see the old pages or the new ones at every moment, and mend what a death left.

A site is written below `public/.building-<release_id>`, forced to disk and renamed `.ready-<release_id>`: whole. Where the
release has no site yet, that is renamed once more; where it has one (the same release built again), each of its files is
put over the old one by a rename of its own, so that no page is ever missing. `current.json` comes last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from etl.instance import current_release
from etl.instance.durable import json_bytes, rename_durable, replace_durable, sync_folder, sync_tree

KEPT = 2
BUILDING, READY, OLD = ".building-", ".ready-", ".old-"


def put_in_place(public: Path, built: Path, release_id: str) -> Path:
    """Put the folder `built` in place as the site of a release, name it in `current.json`, keep the newest two sites."""
    sync_tree(built)
    ready = public / f"{READY}{release_id}"
    rename_durable(built, ready)
    target = _move(public, ready, release_id)
    replace_durable(public / "current.json", json_bytes({"release_id": release_id}))
    _drop_old(public)
    return target


def heal_site(public: Path) -> list[str]:
    """Finish a site that was whole when its run died, remove what was not; say in words what was done."""
    done = []
    for ready in sorted(public.glob(f"{READY}*")):
        release_id = ready.name.removeprefix(READY)
        _move(public, ready, release_id)
        done.append(f"put the site of {release_id} in place, which was built")
    for folder in sorted((*public.glob(f"{BUILDING}*"), *public.glob(f"{OLD}*"))):
        shutil.rmtree(folder)
        done.append("removed a half-written site")
    for temp in sorted(public.glob(".current.json*")):
        temp.unlink()
        done.append("removed a half-written current.json of the site")
    if done:
        _drop_old(public)
    return done


def _move(public: Path, ready: Path, release_id: str) -> Path:
    target = public / release_id
    if target.is_dir():
        _put_over(ready, target)
        _remove(public, ready)
    else:
        rename_durable(ready, target)
    return target


def _put_over(ready: Path, target: Path) -> None:
    """Put every file of `ready` over that of the same name in `target`, then remove what `ready` does not have.

    `ready` stays whole meanwhile, so that after a death the same is done again.
    """
    for file in _files(ready):
        name = file.relative_to(ready)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        temp = target / name.with_name(f".{name.name}.tmp")
        temp.unlink(missing_ok=True)
        os.link(file, temp)
        temp.replace(target / name)
    names = {file.relative_to(ready) for file in _files(ready)}
    for file in _files(target):
        if file.relative_to(target) not in names:
            file.unlink()
    for folder in sorted((path for path in (target, *target.rglob("*")) if path.is_dir()), reverse=True):
        if any(folder.iterdir()):
            sync_folder(folder)
        else:
            folder.rmdir()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _drop_old(public: Path) -> None:
    """Keep the newest two sites and the current one."""
    sites = sorted(path for path in public.iterdir() if path.is_dir() and not path.name.startswith("."))
    for site in sites[:-KEPT]:
        if site.name != current_release(public):
            _remove(public, site)


def _remove(public: Path, folder: Path) -> None:
    """Take a folder away under a name that nobody reads, so that a half of it is never taken for a site."""
    old = public / f"{OLD}{folder.name}"
    folder.rename(old)
    shutil.rmtree(old)
