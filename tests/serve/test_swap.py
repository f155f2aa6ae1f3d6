"""A new release appears in a running server; a broken one does not take the good one away."""

from __future__ import annotations

import json

from portal.serving.shelf import Shelf

from .conftest import NEW, OLD, put_release


def counts(place):
    """Ask how many releases the served database holds."""
    return len(place.client.get("/data/portal/release.json").json()["rows"])


def test_a_new_release_is_served_without_a_restart(own):
    """Tables, pages, downloads and status move to it with the next request."""
    assert counts(own) == 1
    put_release(own.instance.root, NEW, releases=(OLD, NEW))
    assert counts(own) == 2
    assert f"<h1>{NEW}</h1>" in own.client.get("/fa/").text
    assert own.client.get("/status.json").json()["release_id"] == NEW
    for release in (OLD, NEW):
        assert own.client.get(f"/datasets/releases/{release}/case_group.csv.gz").status_code == 200


def test_the_old_file_may_go_away_after_the_switch(own):
    """Nothing holds on to it."""
    assert counts(own) == 1
    put_release(own.instance.root, NEW, releases=(OLD, NEW))
    assert counts(own) == 2
    (own.instance.datasets / f"portal-{OLD}.db").unlink()
    assert counts(own) == 2


def break_pointer(folder, text):
    """Put a pointer in place that nothing good stands behind."""
    staged = folder / ".broken.json"
    staged.write_text(text)
    staged.rename(folder / "current.json")


def test_a_pointer_to_nothing_leaves_the_last_release(own, caplog):
    """Half a file, an unknown release, a path out of the folder: each is logged and passed over."""
    assert counts(own) == 1
    for text in ("{", "[]", "{}", json.dumps({"release_id": "1405-09", "database": "portal-1405-09.db"})):
        break_pointer(own.instance.datasets, text)
        assert counts(own) == 1
    outside = {"release_id": NEW, "database": "../portal-1405-06.db"}
    break_pointer(own.instance.datasets, json.dumps(outside))
    break_pointer(own.instance.public, json.dumps({"release_id": "../datasets"}))
    assert counts(own) == 1
    assert f"<h1>{OLD}</h1>" in own.client.get("/fa/").text
    assert "pointer" in caplog.text


def test_a_database_that_cannot_be_opened_leaves_the_last_release(own, caplog):
    """A file of other bytes under the right name is not served."""
    assert counts(own) == 1
    (own.instance.datasets / f"portal-{NEW}.db").write_bytes(b"not a database, but long enough to be read as one" * 99)
    break_pointer(own.instance.datasets, json.dumps({"release_id": NEW, "database": f"portal-{NEW}.db"}))
    assert counts(own) == 1
    assert "cannot be opened" in caplog.text


def test_a_request_under_way_keeps_its_release(own, anyio_run):
    """The old explorer is closed when its last reader has gone, not before."""

    async def story():
        shelf = Shelf(own.instance.datasets)
        async with shelf.lend() as old:
            put_release(own.instance.root, NEW, releases=(OLD, NEW))
            async with shelf.lend() as new:
                assert old.database != new.database
                answers = await old._file.execute("select count(*) from release")
                assert answers.rows[0][0] == 1
        assert old._datasette.executor._shutdown
        assert not new._datasette.executor._shutdown
        await shelf.close()
        assert new._datasette.executor._shutdown

    anyio_run(story)


def test_status_and_search_move_with_the_tables(own):
    """They name the release that is open, also when nobody asked for a table yet."""
    put_release(own.instance.root, NEW, releases=(OLD, NEW))
    assert own.client.get("/status.json").json()["release_id"] == NEW
    break_pointer(own.instance.datasets, json.dumps({"release_id": "1405-09", "database": "portal-1405-09.db"}))
    assert own.client.get("/status.json").json()["release_id"] == NEW
    assert own.client.get("/fa/find?q=permit").status_code == 200
