"""Reports: what machines read is stable, and what people read is safe to print."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from quizprep.grading import report
from quizprep.grading.junit import to_junit
from quizprep.grading.verdict import (
    CaseResult,
    Frame,
    NamedMistake,
    Raised,
    Reading,
    Stage,
    Verdict,
)
from quizprep.meter import Meter

FAILED = Verdict(
    exercise="causal_mask",
    passed=False,
    confined=True,
    seed=123,
    stages=(
        Stage(name="load", status="pass"),
        Stage(
            name="correctness",
            status="fail",
            message="1 of 2 cases fail",
            cases=(
                CaseResult(params={"n": 1}, dtype="float32", layout="contiguous", status="pass"),
                CaseResult(
                    params={"n": 3},
                    dtype="float32",
                    layout="strided",
                    status="fail",
                    message="o is <wrong> & more",
                ),
            ),
        ),
        Stage(
            name="diagnosis",
            status="pass",
            mistakes=(NamedMistake(id="strict_mask", says="No diagonal.", concept="causal-mask"),),
        ),
        Stage(name="cost", status="skip"),
    ),
    printed="hello\x1b[2Jworld",
)
PASSED = Verdict(
    exercise="softmax",
    passed=True,
    confined=False,
    seed=1,
    unconfined=("seccomp (not installed)",),
    stages=(
        Stage(name="load", status="pass"),
        Stage(name="correctness", status="pass", message="2 cases"),
        Stage(name="diagnosis", status="skip"),
        Stage(
            name="cost",
            status="pass",
            readings=(Reading(meter=Meter("flops"), status="pass", formula="5*n", growth="n"),),
        ),
    ),
)


def test_json_has_the_fields_of_the_design() -> None:
    """One object with format, exercise, passed, confined, seed and the four stages in order."""
    found = json.loads(report.to_json(FAILED))
    assert {k: found[k] for k in ("format", "exercise", "passed", "confined", "seed")} == {
        "format": 1,
        "exercise": "causal_mask",
        "passed": False,
        "confined": True,
        "seed": 123,
    }
    assert [stage["name"] for stage in found["stages"]] == [
        "load",
        "correctness",
        "diagnosis",
        "cost",
    ]
    assert found["stages"][1]["cases"][1]["params"] == {"n": 3}
    assert found["stages"][2]["mistakes"][0]["id"] == "strict_mask"


def test_junit_counts_what_it_lists() -> None:
    """The suite's counts are those of its test cases, and every message survives XML."""
    for verdict in (FAILED, PASSED):
        suite = ElementTree.fromstring(to_junit(verdict))
        assert int(suite.get("tests", "0")) == len(suite.findall("testcase"))
        assert int(suite.get("failures", "0")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped", "0")) == len(suite.findall("testcase/skipped"))
    failures = ElementTree.fromstring(to_junit(FAILED)).findall("testcase/failure")
    assert "o is <wrong> & more" in {failure.get("message") for failure in failures}


def test_a_submission_cannot_steer_the_terminal() -> None:
    """Control characters in what a submission printed are made visible."""
    text = "\n".join(line.text for line in report.lines(FAILED))
    assert "\x1b" not in text
    assert "hello?[2Jworld" in text


def test_the_mistake_is_said_before_the_numbers() -> None:
    """The name of the mistake comes right behind the failed stage, before single cases."""
    text = [line.text for line in report.lines(FAILED)]
    mistake = next(i for i, line in enumerate(text) if line.startswith("strict_mask"))
    case = next(i for i, line in enumerate(text) if line.startswith("n=3"))
    assert mistake < case


def test_missing_confinement_is_said() -> None:
    """A report of an unconfined run says which part was missing."""
    assert any("seccomp (not installed)" in line.text for line in report.lines(PASSED))


@given(st.lists(st.sampled_from(["first", "second", "values"]), min_size=1, max_size=12))
def test_an_exception_from_one_place_is_shown_once_and_no_failure_goes_missing(
    kinds: list[str],
) -> None:
    """At most three failures are shown, the first among them; what is shown, what is the same
    and what is left out add up to all."""
    cases = tuple(
        CaseResult(
            params={"n": n},
            dtype="float32",
            layout="contiguous",
            status="fail",
            message=f"<{kind} {n}>",
            raised=None
            if kind == "values"
            else Raised(
                kind="E", message=f"of {n}", frames=(Frame(line=1, function=kind, text="x"),)
            ),
        )
        for n, kind in enumerate(kinds)
    )
    correctness = Stage(name="correctness", status="fail", message="", cases=cases)
    stages = tuple(correctness if s.name == "correctness" else s for s in FAILED.stages)
    texts = [line.text for line in report.lines(msgspec.structs.replace(FAILED, stages=stages))]
    shown = [text for text in texts if "<" in text]
    counts = [
        int(n) for text in texts for n in re.findall(r"(?:the same in|\.\.\. and) (\d+) more", text)
    ]
    assert f"<{kinds[0]} 0>" in shown[0]
    assert len(shown) <= report.SHOWN_FAILURES
    assert len(shown) + sum(counts) == len(kinds)
    for kind in ("first", "second"):
        assert sum(f"<{kind}" in text for text in shown) <= 1
