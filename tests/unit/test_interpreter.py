"""Triton's interpreter computes and moves the same when it repeats less."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("triton")

PROGRAM = Path(__file__).with_name("interpreted.py")


def found(way: str) -> dict[str, Any]:
    """What kernels computed and moved, by kernel."""
    run = subprocess.run(
        [sys.executable, PROGRAM, way],
        env={**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def test_the_same_bits_and_the_same_bytes() -> None:
    """Operations on operands of all kinds, results of every Triton solution, integers that
    overflow, types and what is refused, the traffic and arithmetic that are counted: all as
    without the changes."""
    plain, faster = found("plain"), found("faster")
    assert [name for name in plain if plain[name] != faster.get(name)] == []
    assert plain.keys() == faster.keys()
    assert len(plain) > 30_000
    assert plain["fits"] == [2 * (value + (1 << 20)) for value in (1, 2, 3, 4)]
    assert plain["int32(2, 1) add int32(4,)"][0] == "<['2', '4'], int32>"
