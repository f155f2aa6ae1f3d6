"""The interactive chart, only for who asks: plotly.js from the installed wheel beside our own small script, both by hash.

No page loads them but `chart.html`, which reads the table of a drawing from its page and draws it again; so every figure
stays in one place. plotly.js comes as the wheel ships it (MIT licence, 4.8 MB), never from another host.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from pathlib import Path

SCRIPTS = {"plotly": ("plotly", "package_data/plotly.min.js"), "chart": ("portal", "templates/chart.js")}
_DIGITS = 12


def write_scripts(static: Path) -> dict[str, str]:
    """Write both scripts into the folder under names that hold their hash; give name -> file name."""
    written = {}
    for name, (package, inner) in SCRIPTS.items():
        content = files(package).joinpath(*inner.split("/")).read_bytes()
        written[name] = f"{name}-{sha256(content).hexdigest()[:_DIGITS]}.js"
        (static / written[name]).write_bytes(content)
    return written
