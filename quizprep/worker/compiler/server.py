"""The compiler's process: it forks a confined child for what it has not compiled before.

The child reads the submission's text, so it has the learner's rights, and a deadline. The assembler
is a program, which no confined process may start; this process runs it on the child's text.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import select
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import triton
from triton.backends.nvidia.compiler import get_ptxas, sm_arch_from_capability

from quizprep.grading import wire
from quizprep.grading.verdict import CompiledKernel, Raised
from quizprep.worker.children import die_with_parent, run_child
from quizprep.worker.compiler.front_end import Compiler
from quizprep.worker.compiler.request import Assembly, Compile, Compiled, Outcome
from quizprep.worker.learner import confinement
from quizprep.worker.protocol import Kernel, Launch

DEADLINE = 60.0
"""Seconds for all launches of one request."""

MEMORY = 2 << 30
"""Bytes of address space that a child, or the assembler, may use beyond what it starts with."""

MAX_CACHED = 4096
TENSOR_CORES = re.compile(r"\b(wgmma|mma|tcgen05)\.")

REGISTERS, WARPS, THREADS = 1 << 16, 64, 32
"""Of a multiprocessor, from compute capability 8.0 to 10.0: 32-bit registers and warps; and threads
of a warp (CUDA C++ Programming Guide, compute capabilities)."""

SHARED = {80: 163, 86: 99, 89: 99, 90: 227, 100: 227}
"""KiB of shared memory that one program may have, by compute capability (same source)."""

SHARED_IN_ALL = {80: 164, 86: 100, 89: 100, 90: 228, 100: 228}
"""KiB of shared memory of a multiprocessor; 1 KiB is reserved for each resident program."""


def serve() -> None:
    """Answer requests on standard input, which is a socket, until its other end is closed."""
    cache: dict[bytes, Outcome] = {}
    while True:
        try:
            request: Compile = wire.receive(0, Compile)
            wire.send(0, Compiled(number=request.number, outcomes=_outcomes(request, cache)))
        except (wire.Closed, wire.Malformed):
            return


def _outcomes(request: Compile, cache: dict[bytes, Outcome]) -> tuple[Outcome, ...]:
    keys = [_key(request, launch) for launch in request.launches]
    missing = {
        key: launch for key, launch in zip(keys, request.launches, strict=True) if key not in cache
    }
    if missing:
        if request.assemble:
            get_ptxas(request.target)  # asks the program for its version, which no child may
        wanted = msgspec.structs.replace(request, launches=tuple(missing.values()))
        for (key, launch), assembly in zip(missing.items(), _in_child(wanted), strict=True):
            if len(cache) >= MAX_CACHED:
                cache.clear()
            cache[key] = _assembled(request, launch, assembly)
    return tuple(cache.get(key) or Outcome(unchecked="it was not reached") for key in keys)


def _key(request: Compile, launch: Launch) -> bytes:
    """The content that decides an outcome: the submission's text, what the kernels' names mean,
    and the launch."""
    used = _used(request.kernels, launch.kernel)
    parts = (request.source, request.target, request.assemble, used, launch)
    return sha256(msgspec.msgpack.encode(parts)).digest()


def _used(kernels: Sequence[Kernel], line: int) -> list[Kernel]:
    """A kernel and all that it calls."""
    by_line = {kernel.line: kernel for kernel in kernels}
    found: dict[int, Kernel] = {}
    waiting = [line]
    while waiting:
        kernel = by_line.get(waiting.pop())
        if kernel is not None and kernel.line not in found:
            found[kernel.line] = kernel
            waiting += [value.line for value in kernel.names.values() if value.line]
    return [found[line] for line in sorted(found)]


# --- the child ---


def _in_child(request: Compile) -> list[Assembly]:
    """What a child makes of each launch, as far as it comes."""
    reads, writes = os.pipe()
    with tempfile.TemporaryDirectory(prefix="quizprep-") as scratch:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            die_with_parent(server)
            os.close(reads)
            run_child(lambda: _compile_all(request, writes, scratch))
        os.close(writes)
        found: list[Assembly] = []
        deadline = time.monotonic() + DEADLINE
        reason = "Triton's compiler ended without a word"
        try:
            while len(found) < len(request.launches):
                if not select.select([reads], [], [], max(deadline - time.monotonic(), 0))[0]:
                    reason = f"Triton's compiler did not finish within {DEADLINE:g} s"
                    break
                found.append(wire.receive(reads, Assembly))
        except (wire.Closed, wire.Malformed):
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(reads)
    return found + [Assembly(unchecked=reason)] * (len(request.launches) - len(found))


def _compile_all(request: Compile, answers: int, scratch: str) -> None:
    os.environ.update(HOME=scratch, TMPDIR=scratch)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)  # the compiler prints what it cannot verify
    libraries = (sysconfig.get_path("stdlib"), str(Path(triton.__file__).parent), "/usr/lib")
    confinement.confine(libraries, scratch, MEMORY)
    try:
        compiler = Compiler(request)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:500]
        for _ in request.launches:
            wire.send(answers, Assembly(unchecked=reason))
        return
    for launch in request.launches:
        wire.send(answers, compiler.compiled(launch))


# --- machine code ---


def _assembled(request: Compile, launch: Launch, assembly: Assembly) -> Outcome:
    """The outcome of a launch; its assembly text, if there is one, is assembled."""
    if not assembly.ptx:
        return Outcome(error=assembly.error, unchecked=assembly.unchecked, narrow=assembly.narrow)
    name = next((k.name for k in request.kernels if k.line == launch.kernel), "")
    limit = SHARED.get(request.target, 0) << 10
    if limit and assembly.shared > limit:
        message = (
            f"{name} needs {assembly.shared:,} bytes of shared memory for each program; "
            f"sm_{request.target} has {limit:,}"
        )
        return Outcome(error=Raised(kind="OutOfResources", message=message))
    try:
        said = _assemble(assembly.ptx, request.target)
    except (OSError, subprocess.SubprocessError) as error:
        return Outcome(unchecked=f"the assembler failed: {error}"[:500])
    registers = _number(r"Used (\d+) registers", said)
    return Outcome(
        figures=CompiledKernel(
            name=name,
            line=launch.kernel,
            launched=described(launch),
            target=f"sm_{request.target}",
            warps=assembly.warps,
            registers=registers,
            spilled=_number(r"(\d+) bytes spill stores", said),
            shared=assembly.shared,
            tensor_cores=TENSOR_CORES.search(assembly.ptx) is not None,
            occupancy=occupancy(request.target, registers, assembly.warps, assembly.shared),
        )
    )


def _assemble(ptx: str, target: int) -> str:
    """What NVIDIA's assembler says about an assembly text."""
    with tempfile.NamedTemporaryFile("w", suffix=".ptx", prefix="quizprep-") as text:
        text.write(ptx)
        text.flush()
        done = subprocess.run(
            [
                get_ptxas(target).path,
                "-v",
                f"--gpu-name={sm_arch_from_capability(target)}",
                text.name,
                "-o",
                os.devnull,
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            stdin=subprocess.DEVNULL,
            preexec_fn=_limit,
        )
    return done.stdout + done.stderr


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _number(pattern: str, text: str) -> int:
    """The largest number that a pattern finds: a text may have several functions."""
    return max((int(found) for found in re.findall(pattern, text)), default=0)


def occupancy(target: int, registers: int, warps: int, shared: int) -> float:
    """The share of a multiprocessor's warps that are resident at once.

    Registers are given out by 256 to each warp (CUDA C++ Programming Guide, and NVIDIA's occupancy
    calculator).
    """
    of_warp = -(-registers * THREADS // 256) * 256
    programs = WARPS // max(warps, 1)
    if of_warp:
        programs = min(programs, REGISTERS // of_warp // max(warps, 1))
    if target in SHARED_IN_ALL:
        programs = min(programs, (SHARED_IN_ALL[target] << 10) // (shared + 1024))
    return programs * warps / WARPS


def described(launch: Launch) -> str:
    """A launch in words: the dtypes of its tensors, and its constants."""
    dtypes = dict.fromkeys(kind[1:] for kind in launch.types.values() if kind.startswith("*"))
    constants = (
        f"{name}={value.value}"
        for name, value in launch.constants.items()
        if name.isupper() and value.kind in ("plain", "constexpr")
    )
    return ", ".join([*dtypes, *constants])[:500]
