"""Writes a frame that says it passed, to every descriptor, while it is loaded.

exercise: causal_mask
stage: load
says: is no reply
"""

import contextlib
import os
import struct

import msgspec
import torch

BODY = msgspec.msgpack.encode({"type": "JudgeResult", "load": {"status": "pass"}, "cases": []})
for fd in range(3, 64):
    with contextlib.suppress(OSError):
        os.write(fd, struct.pack("<Q", len(BODY)) + BODY)


def causal_attention(q, k, v):
    return torch.zeros_like(q)
