"""Tells of another place than its own, floods whoever listens, and never returns.

exercise: causal_mask
stage: correctness
says: was still running after 2 s and was stopped.
"""

import contextlib
import os
import signal

LIE = f'  File "{__file__}", line 7 in \x1b[2J\n'.encode()


def causal_attention(q, k, v):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    while True:
        for fd in range(3, 64):
            with contextlib.suppress(OSError):
                if not os.get_blocking(fd):
                    os.write(fd, LIE)
