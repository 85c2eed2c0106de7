"""The price of each line: shares add up to the totals, and a peak is explained by what is alive."""

from __future__ import annotations

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.formula import parse
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.grading.report import lines
from quizprep.grading.verdict import Stage
from quizprep.meter import Meter, MeterKind
from quizprep.worker.learner.lines import Event, moments
from quizprep.worker.learner.torch_meters import peak_of

LIBRARY = Library(shipped_root())
COUNTED = [name for name in LIBRARY.exercise_ids if LIBRARY.exercise(name).spec.contract.limits()]
CAUSAL = LIBRARY.exercise("causal_mask")

PER_HEAD = b"""
import torch

def causal_attention(q, k, v):
    b, h, n, d = q.shape
    m = k.shape[2]
    hidden = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1)
    heads = []
    for i in range(b):
        for j in range(h):
            scores = q[i, j] @ k[i, j].T * d**-0.5
            scores = scores.masked_fill(hidden, -torch.inf)
            weights = torch.softmax(scores, -1).nan_to_num()
            heads.append(weights @ v[i, j])
    return torch.stack(heads).view(b, h, n, -1)
"""


CONCATENATES = b"""
import torch

class KVCache:
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        self.keys = torch.empty(batch, heads, 0, head_dim, dtype=dtype)
        self.values = self.keys

    def append(self, k, v):
        # All that is held is copied for each new token.
        held = self.keys
        both = (self.keys, self.values)
        self.keys, self.values = (
            torch.cat(pair, 2) for pair in zip(both, (k, v))
        )

    def attend(self, q):
        t, m = q.shape[2], self.keys.shape[2]
        scores = (q * q.shape[-1] ** -0.5) @ self.keys.transpose(-2, -1)
        future = torch.ones(t, m, dtype=torch.bool).triu(m - t + 1)
        return torch.softmax(scores.masked_fill(future, -torch.inf), -1) @ self.values
"""


@pytest.fixture(scope="module")
def grader(pool: Pool) -> Grader:
    """A grader that tells of lines."""
    return Grader(pool, by_line=True)


def cost(grader: Grader, name: str, source: bytes | None = None) -> Stage:
    exercise = LIBRARY.exercise(name)
    source = exercise.solution.read_bytes() if source is None else source
    return grader.grade(exercise, Submission(f"{name}.py", source), seed=2).stage("cost")


@pytest.mark.parametrize("name", COUNTED)
def test_shares_add_up(grader: Grader, name: str) -> None:
    """At the largest size the lines' work is all work, and what has formulas adds up in these."""
    stage = cost(grader, name)
    assert stage.lines
    for reading in stage.readings:
        kind = reading.meter.kind
        if kind not in (MeterKind.FLOPS, MeterKind.MOVED_BYTES) or not reading.formula:
            continue
        lines = [line for line in stage.lines if line.phase == reading.meter.phase]
        shares = [line.largest.get(str(kind), 0) for line in lines]
        if kind is MeterKind.FLOPS and not any(shares):
            continue  # no product anywhere: the element-wise work is all work
        assert sum(shares) == reading.largest
        formulas = [line.formulas.get(str(kind), "0") for line in lines]
        if all(f != "0" or not share for f, share in zip(formulas, shares, strict=True)):
            assert parse(" + ".join(formulas)).expand() == parse(reading.formula).expand()


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_alive_is_the_peak(grader: Grader, name: str) -> None:
    """The bytes alive at the peak add up to the formula of a peak that has one."""
    stage = cost(grader, name)
    peaks = [r for r in stage.readings if r.meter.kind is MeterKind.PEAK_BYTES]
    for peak in peaks:
        alive = [each for each in stage.alive if each.phase == peak.meter.phase]
        if not alive:
            continue
        assert sum(each.largest for each in alive) == peak.largest
        if not peak.formula or peak.formula.startswith("max"):
            continue
        total = " + ".join(each.formula for each in alive)
        assert parse(total).expand() == parse(peak.formula).expand()


def test_a_script_has_the_lines_of_each_phase(grader: Grader) -> None:
    """What a cache does when it grows and when it is read are two listings."""
    stage = cost(grader, "kv_cache")
    phases = {
        line.phase: [each.text for each in stage.lines if each.phase == line.phase]
        for line in stage.lines
    }
    assert phases.keys() == {"append", "attend"}
    assert not {*phases["append"]} & {*phases["attend"]}
    verdict = grader.grade(
        LIBRARY.exercise("kv_cache"), Submission("kv_cache.py", CONCATENATES), seed=2
    )
    text = "\n".join(line.text for line in lines(verdict))
    assert "of it in line 14" in text and "Alive at the peak of append:" in text


def test_a_loop_over_heads_has_its_formulas(grader: Grader) -> None:
    """Each line of the loop has the formula of all its rounds, and what is alive is told even where
    the peak has no formula."""
    stage = cost(grader, "causal_mask", PER_HEAD)
    (peak,) = (r for r in stage.readings if r.meter == Meter(MeterKind.PEAK_BYTES))
    assert stage.status == "pass" and sum(each.largest for each in stage.alive) == peak.largest
    flops = {line.line: line.formulas.get("flops") for line in stage.lines}
    assert flops[11] == "2*b*h*n*m*d" == flops[14]
    assert [line.line for line in stage.lines if line.peak]


def test_a_cost_that_is_too_high_names_its_line(grader: Grader) -> None:
    """Without being asked, where most of it is and what is alive."""
    wasteful = PER_HEAD.replace(
        b"    heads = []\n", b"    heads = []\n    waste = torch.zeros(b, h, n, m, d)\n"
    )
    verdict = grader.grade(CAUSAL, Submission("causal_mask.py", wasteful), seed=2)
    text = "\n".join(line.text for line in lines(verdict))
    assert "waste, line 9: 4*b*h*n*m*d bytes" in text
    assert "(reached in line " in text


def test_the_listing_shows_each_line_once(grader: Grader) -> None:
    """With --lines the report has the source line, its costs, and a mark at the peak."""
    verdict = grader.grade(CAUSAL, Submission("causal_mask.py", PER_HEAD), seed=2)
    text = "\n".join(line.text for line in lines(verdict, by_line=True))
    assert text.count("scores = q[i, j] @ k[i, j].T * d**-0.5") == 1
    assert "2*b*h*n*m*d; " in text and text.count("<- peak of working memory") == 1
    assert "What each line costs" not in "\n".join(line.text for line in lines(verdict))


def test_the_peak_is_the_largest_moment() -> None:
    """Over any history the largest moment is the peak, returned bytes left out."""
    events = [
        Event(1, 100, (1, 0, "a"), 0),
        Event(2, 50, (2, 0, "b"), 1),
        Event(1, -100),
        Event(3, 70, (2, 0, "b"), 2),
        Event(2, -50),
    ]
    for returned in ({}, {1: 100}, {3: 70}):
        found = moments(events, returned)
        largest = max(sum(moment.alive.values()) for moment in found)
        assert largest == peak_of(events, returned)[0]
    places = [moment.place for moment in moments(events, {})]
    assert places == ["1:0:a", "2:0:b", "2:0:b+"]
