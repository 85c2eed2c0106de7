"""Claims a reply of 60 MB and then waits.

exercise: causal_mask
stage: correctness
says: still running
"""

import contextlib
import os
import struct
import time


def causal_attention(q, k, v):
    for fd in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(fd, struct.pack("<Q", 60 << 20))
    while True:
        time.sleep(1)
