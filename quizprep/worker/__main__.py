"""``python -m quizprep.worker RUNTIME [DEVICE]``: the nursery. Reads requests, writes answers."""

from __future__ import annotations

import os
import sys

# Set before numpy or torch is imported: a process with several threads cannot be forked safely,
# and two processes with two threads each are several times slower on two cores.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["KINETO_LOG_LEVEL"] = "99"
# Kernels are compiled for a GPU; without one they run in Triton's interpreter.
os.environ["TRITON_INTERPRET"] = "0" if "cuda" in sys.argv[2:] else "1"
# Testing for a GPU must not initialise CUDA, which does not survive a fork.
os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"

from quizprep.grading import wire

if __name__ == "__main__":
    try:
        from quizprep.worker import nursery
    except ImportError as error:
        fault = wire.Fault(kind=wire.FaultKind.MISSING_PACKAGE, message=str(error))
        wire.send(1, fault)
    else:
        nursery.serve(*sys.argv[1:])
