"""The tutorial of the operator, typed block by block in an empty folder: `make tutorial` (a dozen starts of the program)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.typed import blocks, type_in


@pytest.mark.timeout(400)
def test_the_tutorial_of_the_operator_works(project: Path, tmp_path: Path) -> None:
    """From `init` to a release and a copied secret, with the quarantine read and mended on the way."""
    said = type_in(tmp_path, "\n".join(blocks(project / "docs" / "tutorials" / "operator.md", "sh")))
    assert "impossible_date" in said
    assert "1 staged + 1,991 unchanged + 8 quarantined" in said
    assert (tmp_path / "portal" / "public" / "current.json").is_file()
    assert (tmp_path / "secret.backup").stat().st_mode & 0o777 == 0o600
