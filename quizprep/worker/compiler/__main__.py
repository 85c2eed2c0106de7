"""``python -m quizprep.worker.compiler``: the compiler's process; standard input is its socket."""

from __future__ import annotations

import os

# Before Triton is imported: kernels are compiled here, and its default of fusing is kept.
os.environ["TRITON_INTERPRET"] = "0"
os.environ["TRITON_DEFAULT_FP_FUSION"] = "1"

from quizprep.worker.children import die_with_parent

if __name__ == "__main__":
    die_with_parent(os.getppid())
    from quizprep.worker.compiler.server import serve

    serve()
