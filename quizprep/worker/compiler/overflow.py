"""Offsets that a kernel computes in 32 bits although they may need more.

An offset is a product of an index and a stride. In a tensor of more than 2**31 elements it leaves
int32 and wraps, and no test with small tensors shows it. So the kernel's own intermediate code is
read: from each pointer that is moved by a 32-bit offset, back to the products in that offset.
"""

from __future__ import annotations

import re
from typing import Any

PASSED_ON = {
    "tt.splat",
    "tt.broadcast",
    "tt.expand_dims",
    "tt.reshape",
    "tt.trans",
    "arith.addi",
    "arith.subi",
    "arith.select",
    "arith.muli",
}
"""Operations whose result is as narrow as their operands."""


def narrow_products(module: Any, file: str) -> tuple[int, ...]:
    """The lines of a file in which an offset is a 32-bit product of two values that are known only
    at the launch. ``module`` is Triton's intermediate code before any pass."""
    operations: list[Any] = []
    module.walk(operations.append)
    makers = {
        operation.get_result(place).id(): operation
        for operation in operations
        for place in range(operation.get_num_results())
    }
    waiting = [op.get_operand(1) for op in operations if op.get_name() == "tt.addptr"]
    seen: set[int] = set()
    lines: set[int] = set()
    while waiting:
        value = waiting.pop()
        maker = makers.get(value.id())
        if value.id() in seen or maker is None or not str(value.get_type()).endswith(NARROW):
            continue
        seen.add(value.id())
        if maker.get_name() not in PASSED_ON:
            continue
        operands = [maker.get_operand(place) for place in range(maker.get_num_operands())]
        if maker.get_name() == "arith.muli" and not any(_constant(o, makers) for o in operands):
            found = re.search(rf"{re.escape(file)}\":(\d+)", str(value.get_loc()))
            lines |= {int(found[1])} if found else set()
        waiting += operands
    return tuple(sorted(lines))


NARROW = ("i32", "i32>")


def _constant(value: Any, makers: dict[int, Any]) -> bool:
    """Whether a value is known when the kernel is compiled."""
    maker = makers.get(value.id())
    if maker is None:
        return False
    if maker.get_name() in ("tt.splat", "tt.broadcast", "tt.expand_dims"):
        return _constant(maker.get_operand(0), makers)
    return bool(maker.get_name() == "arith.constant")
