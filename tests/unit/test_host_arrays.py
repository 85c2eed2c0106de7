"""numpy in a submission that is written in torch is counted beside torch's own operations."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import numpy as np
import torch
from quizprep.worker.learner.host_arrays import HostArrays
from quizprep.worker.learner.torch_meters import Meters

host = HostArrays()
x, y = torch.rand(2, 3, 5, dtype=torch.float64), torch.rand(2, 5, 4, dtype=torch.float64)


def metered(call):
    meters = Meters((x, y))
    with meters, host.counted(meters):
        result = call()
    return meters.readings([result])


def everything(x, y):
    product = x @ y
    return product - product.max(-1, keepdims=True)


def in_numpy(read):
    return lambda: torch.from_numpy(everything(read(x), read(y)))


wanted = metered(lambda: (p := x @ y) - p.amax(-1, keepdim=True))
for read in (
    torch.Tensor.numpy,
    np.asarray,
    np.array,
    np.ascontiguousarray,
    lambda t: np.asarray(t.numpy()).view(np.ndarray),
    lambda t: t.numpy().copy(),
):
    found = metered(in_numpy(read))
    for meter in ("flops", "elementwise"):
        assert found[meter] == wanted[meter], (read, found, wanted)
    assert found["peak_bytes"] >= wanted["peak_bytes"]
assert metered(in_numpy(torch.Tensor.numpy))["peak_bytes"] == wanted["peak_bytes"]

# An array that is alive counts until it goes.
meters, held = Meters((x,)), []
with meters, host.counted(meters):
    held.append(x.numpy().copy())
assert meters.readings(())["held_bytes"] == x.nbytes
with meters, host.counted(meters):
    held.clear()
assert meters.readings(())["held_bytes"] == 0

# Outside of a metered call numpy is as it was.
assert type(x.numpy()) is np.ndarray
assert type(np.asarray(x)) is np.ndarray
assert torch.equal(torch.from_numpy(np.array(x)), x)
"""


def test_numpy_work_on_tensors_is_counted_as_torch_work_is() -> None:
    """Products, element-wise work and memory, whichever way a tensor becomes an array. In a process
    of its own, since a learner's process hands tensors out so for the rest of its life."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
