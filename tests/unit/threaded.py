"""A learner without a process of its own, for tests of what lies between it and the judge."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from quizprep.grading import wire
from quizprep.worker import arena, protocol
from quizprep.worker.backends import NumpyBackend
from quizprep.worker.children import JudgeEnds
from quizprep.worker.judge.channel import Channel
from quizprep.worker.learner.serving import Learner

BACKEND = NumpyBackend()


def judge_ends(orders: int, replies: int, events: int = -1, control: int = -1) -> JudgeEnds:
    """A judge's ends of these pipes."""
    return JudgeEnds(
        -1, orders, replies, events, control, ready=-1, memory=-1, cache=-1, compiler=-1
    )


class Threaded:
    """A learner in a thread behind two pipes; its file is loaded."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        fd = arena.create()
        self.orders, order_w = os.pipe()
        reply_r, self.replies = os.pipe()
        self.learner = Learner(BACKEND, "numpy", str(path), names, arena.attach(fd))
        self.channel = Channel(BACKEND, arena.attach(fd), judge_ends(order_w, reply_r))
        threading.Thread(target=self._serve, daemon=True).start()
        assert self.channel.load().raised is None

    def _serve(self) -> None:
        while True:
            order = wire.receive(self.orders, protocol.Order)
            wire.send(self.replies, self.learner.answer(order))
