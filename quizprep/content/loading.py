"""YAML to frozen types, with errors that name the file, the line and the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from quizprep.errors import ContentError, Problem

T = TypeVar("T")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_file(path: Path, kind: type[T]) -> T:
    """The content of a file as the given type; raises ContentError."""
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        return msgspec.convert(raw, kind, strict=True)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ContentError([Problem(str(path), None, "", str(error))]) from error
