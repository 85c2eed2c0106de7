"""The build puts the content into the wheel, and decodes it so that no start has to read YAML."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Prebuild(BuildHookInterface):
    """Runs before a wheel or an editable install is put together."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write quizprep/_decoded; without the packages it needs the first start reads YAML."""
        root = Path(self.root)
        subprocess.run([sys.executable, "-m", "quizprep.authoring.prebuild"], cwd=root, check=False)
        if (root / "quizprep" / "_decoded").is_dir():
            build_data["artifacts"].append("quizprep/_decoded/*.msgpack")
        # The editor, if `make web` has built it; its licences come with it.
        for name in ("editor.js", "editor.LICENSES.txt"):
            if (root / "quizprep" / "web" / "static" / name).is_file():
                build_data["artifacts"].append(f"quizprep/web/static/{name}")
        if version != "editable":
            # An editable install reads the source tree: a copy would grow stale unseen, and
            # would be one more place where a submission could look for the answers.
            for name in ("questions", "exercises", "solutions"):
                build_data["force_include"][str(root / name)] = f"quizprep/_content/{name}"
