"""``make web``: the editor of ``quizprep web``, bundled from `web/` with npm and esbuild.

Without npm the pages have a plain text area, which works. Nothing of others is committed: the lock
file says what is fetched, and its licences are written beside the bundle.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "web"
BUNDLE = ROOT / "quizprep" / "web" / "static" / "editor.js"
LICENCES = BUNDLE.with_name("editor.LICENSES.txt")


def main() -> int:
    """Fetch, bundle, collect the licences; exit code 1 if npm is missing or fails."""
    npm = shutil.which("npm")
    if npm is None:
        print("npm is missing; without it the pages have a plain text area.")
        return 1
    fetched = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=SOURCE
    )
    if fetched.returncode:
        print("npm could not fetch the editor's packages.")
        return 1
    esbuild = SOURCE / "node_modules" / ".bin" / "esbuild"
    subprocess.run(
        [
            esbuild,
            "editor.js",
            "--bundle",
            "--minify",
            "--format=esm",
            "--target=es2022",
            "--log-level=warning",
            f"--outfile={BUNDLE}",
        ],
        cwd=SOURCE,
        check=True,
    )
    LICENCES.write_text("\n\n".join(_licences()), encoding="utf-8")
    print(f"written: {BUNDLE.relative_to(ROOT)}, {BUNDLE.stat().st_size >> 10} KiB")
    return 0


def _licences() -> Iterator[str]:
    """The licence of every package that is in the bundle."""
    lock = json.loads((SOURCE / "package-lock.json").read_text(encoding="utf-8"))
    for place, package in sorted(lock["packages"].items()):
        if not place or package.get("dev") or package.get("optional"):
            continue
        texts = sorted((SOURCE / place).glob("LICENSE*"))
        text = texts[0].read_text(encoding="utf-8") if texts else package.get("license", "")
        yield f"{place.removeprefix('node_modules/')} {package['version']}\n\n{text.strip()}"


if __name__ == "__main__":
    sys.exit(main())
