"""Chains of questions: which one comes next, and which chains are refused."""

from __future__ import annotations

from collections import Counter
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.authoring.chain_checks import chain_findings
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Bank, Chain, ChainStep, Level
from quizprep.quiz.chains import GOOD, chain_to_ask, next_in_chain
from tests.unit.questions import question

CHAIN = Chain(
    id="c",
    title="A line of thought",
    steps=(
        ChainStep(ask="first", back="easier"),
        ChainStep(ask="second", back="simpler"),
        ChainStep(ask="third"),
    ),
)
LIBRARY = Library(shipped_root())


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ([], "first"),
        ([("first", 1.0)], "second"),
        ([("first", GOOD)], "second"),
        ([("first", 0.5)], "easier"),
        ([("first", 0.0), ("easier", 1.0)], "second"),
        ([("first", 0.0), ("easier", 0.2)], None),
        ([("first", 1.0), ("second", 0.0)], "simpler"),
        ([("first", 1.0), ("second", 0.0), ("simpler", 1.0)], "third"),
        ([("first", 1.0), ("second", 1.0), ("third", 0.0)], None),
        ([("first", 1.0), ("second", 1.0), ("third", 1.0)], None),
        ([("other", 0.0)], "first"),
        ([("first", 0.0), ("first", 1.0)], "second"),
    ],
)
def test_good_answers_lead_deeper_and_poor_ones_back(
    answers: list[tuple[str, float]], wanted: str | None
) -> None:
    """The next question follows from the marks alone."""
    assert next_in_chain(CHAIN, answers) == wanted


@given(st.sampled_from([c for t in LIBRARY.topics for c in LIBRARY.bank(t).chains]), st.data())
def test_a_chain_asks_each_question_at_most_once_and_ends(
    chain: Chain, data: st.DataObject
) -> None:
    """Whatever the marks, at most five questions are asked, none of them twice."""
    answers: list[tuple[str, float]] = []
    while (name := next_in_chain(chain, answers)) is not None:
        assert name not in dict(answers)
        answers.append((name, data.draw(st.sampled_from([0.0, 0.5, GOOD, 1.0]))))
    assert 1 <= len(answers) <= 5


def test_every_topic_has_chains() -> None:
    """At least four, each of three to five questions; good answers alone lead to the last step."""
    for topic in LIBRARY.topics:
        chains = LIBRARY.bank(topic).chains
        assert len(chains) >= 4, topic
        for chain in chains:
            steps = [step.ask for step in chain.steps]
            assert 3 <= len({*steps, *(s.back for s in chain.steps if s.back)}) <= 5
            answers: list[tuple[str, float]] = []
            while (name := next_in_chain(chain, answers)) is not None:
                answers.append((name, 1.0))
            assert [name for name, _ in answers] == steps


def bank(*chains: Chain) -> Bank:
    """A bank with questions of three levels and these chains."""
    asked = [
        {**msgspec.to_builtins(question("code", snippet="print(1)", prints="1")), "id": name,
         "level": level, "kind": "code"}
        for name, level in zip(("first", "second", "third"), Level, strict=True)
    ]  # fmt: skip
    raw = {"format": 1, "topic": "t", "title": "T", "template": "x", "questions": asked}
    return msgspec.structs.replace(msgspec.convert(raw, Bank), chains=chains)


LEVELS = {
    "first": Level.JUNIOR, "second": Level.SENIOR, "third": Level.STAFF,
    "easier": Level.JUNIOR, "simpler": Level.SENIOR, "hard": Level.STAFF,
}  # fmt: skip


def chain(*steps: str, name: str = "c") -> Chain:
    """A chain of steps written ``ask<back``."""
    parts = [step.partition("<") for step in steps]
    return Chain(
        id=name,
        title="x",
        steps=tuple(ChainStep(ask=ask, back=back or None) for ask, _, back in parts),
    )


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (chain("first<easier", "second", "gone"), "names gone, which is in no bank"),
        (chain("first<easier", "second", "first"), "asks first twice"),
        (chain("first", "second", "third"), "never goes back"),
        (chain("first<easier", "third", "second"), "of a lower level"),
        (chain("first<hard", "second", "third"), "of a higher level"),
        (chain("first<easier", "second<simpler", "third<hard"), "at most 5"),
        (chain("easier", "simpler<first", "hard"), "asks nothing of this bank"),
    ],
)
def test_a_chain_that_leads_nowhere_is_refused(made: Chain, says: str) -> None:
    """Unknown or repeated questions, steps that become easier, and chains without a way back."""
    found = [message for _, message in chain_findings(bank(made), LEVELS, Counter({"c": 1}))]
    assert any(says in message for message in found), found


def test_a_good_chain_is_accepted_and_its_id_is_its_own() -> None:
    """The same chain is refused if another bank uses its id."""
    made = bank(chain("first<easier", "second<simpler", "third"))
    assert not [*chain_findings(made, LEVELS, Counter({"c": 1}))]
    assert [m for _, m in chain_findings(made, LEVELS, Counter({"c": 2}))]


def test_every_way_through_a_chain_is_one_of_its_rungs() -> None:
    """All sixteen ways to answer four questions well or badly ask questions of the chain only."""
    names = {step.ask for step in CHAIN.steps} | {step.back for step in CHAIN.steps}
    for marks in product((0.0, 1.0), repeat=4):
        answers: list[tuple[str, float]] = []
        for mark in marks:
            name = next_in_chain(CHAIN, answers)
            if name is None:
                break
            assert name in names
            answers.append((name, mark))


@pytest.mark.parametrize("topic", LIBRARY.topics)
def test_every_chain_comes_up_before_many_come_again(topic: str) -> None:
    """Whoever answers well meets all chains of a topic, though some begin with one question."""
    chains = LIBRARY.bank(topic).chains
    asked: dict[str, int] = {}
    taken: set[str] = set()
    for _ in range(3 * len(chains)):
        chain = chain_to_ask(chains, asked)
        assert chain is not None
        taken.add(chain.id)
        for step in chain.steps:
            asked[step.ask] = len(asked) + max(asked.values(), default=0) + 1
    assert taken == {chain.id for chain in chains}
    assert chain_to_ask((), {}) is None
