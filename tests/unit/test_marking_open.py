"""Open answers: points are found in free speech, and what is denied is not said."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Open
from quizprep.quiz.marking import MAX_REPLY, match_open
from quizprep.quiz.marking.open_answer import corrected, mark_open, says_any
from quizprep.quiz.marking.words import read_words
from tests.unit.questions import question

SPOKEN = Path(__file__).parents[1] / "golden" / "spoken" / "answers.yaml"
GROWS = ("variance|spread grow*",)


def says(text: str, *accept: str) -> bool:
    return says_any(read_words(text), accept or GROWS)


@pytest.mark.parametrize(
    "text",
    [
        "The variance grows with d.",
        "It grows, the variance.",
        "VARIANCE of a product GROWS",
        "the spread is growing",
        "Not only the mean: the variance grows.",
        "It is not the mean but the variance that grows.",
        "I can't see why not. The variance grows.",
        "The variance, which is not small, grows.",
        "without scaling, the variance grows",
    ],
)
def test_a_wording_is_found_in_any_order_case_and_ending(text: str) -> None:
    """Words of a group may be apart and inflected."""
    assert says(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is not because the variance grows.",
        "The variance does not grow.",
        "The variance doesn't grow.",
        "The variance never grows.",
        "No variance grows.",
        "It is false that the variance grows.",
        "The variance. It grows.",
        "The mean grows.",
        "Neither variance nor mean grow.",
        "variance of one thing, many other words stand in between, until at last some number grows",
    ],
)
def test_a_denied_or_scattered_wording_is_not_said(text: str) -> None:
    """A negation turns a point around, and words far apart are not one thought."""
    assert not says(text)


@pytest.mark.parametrize(
    ("text", "accept"),
    [
        ("you divide by the square root of d", "divid* sqrt(d)"),
        ("divide by √d", "divid* sqrt(d)"),
        ("it costs n² d", "cost* n^2"),
        ("n squared memory", "n^2 memory"),
        ("an n by n matrix", "n^2 matrix"),
        ("we normalise it", "normaliz*"),
        ("recomputing the prefix", "recompute* prefix"),
        ("keys can't change", "key* not|never change*"),
        ("key-value pairs", "key-value pair"),
        ("the d_k of a head", "d_k"),
        ("queries are used once", "query use once"),
        ("an allreduce over ranks", "all-reduce"),
        ("all reduce over ranks", "all-reduce"),
        ("it reduces the cache", "reduce-cache"),
        ("it costs 2.5 times the flops", "2.5"),
        ("w/o a cache, bw is the limit", "without cache"),
        ("the limit is bw", "bandwidth"),
        ("you calculate it on each device", "compute gpu"),
        ("the traffic shrinks", "reduc* traffic"),
        ("it was kept by every card", "keep* gpu"),
        ("cut in the decoding step", "generat* step"),
        ("8nD^2 for the projections", "8 n d^2"),
        ("n-by-n scores", "n^2 score"),
        ("scale = d ** -0.5", "sqrt scale"),
        ("O(n) memory", "o-n memory"),
        ("q.k is large", "q k"),
        ("tp > kv heads", "tp exceed* heads"),
        ("the rows that aren't needed any more", "row not need*"),
        ("it is limited by the bandwidth", "memory-bound"),
        ("bound by main memory", "bound memory"),
        ("140GB", "140 gb"),
        ("it costs 16x", "16 times"),
    ],
)
def test_the_mini_language(text: str, accept: str) -> None:
    """Alternatives, stems, runs, mathematics in words and wordings that hold the negation."""
    assert says(text, accept)


@pytest.mark.parametrize(
    ("text", "accept"),
    [
        ("it means that the score grows", "average|mean grow*"),
        ("K goes into on-chip memory", "o-n memory"),
        ("less compute", "less memory"),
        ("the weights grow", "parameter* grow*"),
        ("it drops", "delete*"),
        ("a smaller cache", "fewer cache"),
    ],
)
def test_words_that_do_not_say_the_same_stay_apart(text: str, accept: str) -> None:
    """The shared vocabulary joins no words that an interviewer tells apart."""
    assert not says(text, accept)


@pytest.mark.parametrize(
    "text",
    [
        "Nothing makes the variance grow.",
        "The mean changes instead of the variance growing.",
        "The mean changes rather than the variance growing.",
        "The variance no longer grows.",
        "The variance hardly grows.",
        "Not the variance grows.",
    ],
)
def test_what_is_denied_in_other_words_is_not_said(text: str) -> None:
    """Nothing, no longer, hardly, rather than and instead of deny as not does."""
    assert not says(text)


@pytest.mark.parametrize(
    ("text", "accept"),
    [
        ("nothing changes in old keys", "nothing|not change*"),
        ("instead of projecting the prefix it projects one token", "project* one|single token"),
        ("the mean rather than nothing: the variance grows", "variance grow*"),
    ],
)
def test_what_stands_beside_a_denial_is_said(text: str, accept: str) -> None:
    """A wording may hold the denial, and a denial ends with its clause."""
    assert says(text, accept)


@pytest.mark.parametrize(
    ("text", "accept"),
    [
        ("we save memory. bound by nothing", "memory-bound"),
        ("all of it; reduce later", "all-reduce"),
        ("rows sum to one\nhot spots appear", "one-hot"),
    ],
)
def test_a_run_of_words_does_not_cross_the_end_of_a_sentence(text: str, accept: str) -> None:
    """Words on both sides of a full stop, a semicolon or a line's end are not one term."""
    assert not says(text, accept)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("the varaince grows", True),
        ("the varianse grows", True),
        ("the variancee grows", True),
        ("the varance grows", True),
        ("the varnce grows", False),
        ("the barianec grows", False),
    ],
)
def test_one_slip_of_the_keyboard_is_forgiven(text: str, heard: bool) -> None:
    """A letter wrong, lost, doubled or swapped in a long word; two slips are another word."""
    assert says(text, "variance grow*") is heard


@pytest.mark.parametrize("word", ["now", "tall", "sane"])
def test_short_words_are_not_corrected(word: str) -> None:
    """A letter makes another word of a short one."""
    assert not says(f"the {word} grows", "row|small|same grow*")


def test_an_excluded_word_refuses_its_clause_only() -> None:
    """``!same`` takes a wording back where "same" stands in the clause, and nowhere else."""
    wording = "reduc* flops !same|bytes"
    assert says("it reduces the flops", wording)
    assert not says("it reduces bytes at equal flops", wording)
    assert says("it reduces the flops, the bytes stay", wording)
    assert not says("anything", "!same")


@pytest.mark.parametrize(
    ("text", "accused"),
    [
        ("It reduces the flops.", True),
        ("It reduces the memory, the flops stay.", False),
        ("It reduces the memory but the flops stay.", False),
        ("It reduces memory rather than flops.", False),
        ("Nothing reduces the flops.", False),
    ],
)
def test_an_accusation_needs_one_clause(text: str, accused: bool) -> None:
    """A wrong claim is heard only where one clause makes it."""
    claim = {"says": "The flops stay.", "accept": ["reduc* flops"]}
    points = [{"id": name, "says": "A point.", "accept": [name]} for name in ("one", "other")]
    asked = question("open", points=points, wrong=[claim], model="one other")
    assert bool(match_open(asked, text).wrong_claims) is accused


def test_sensible_answers_are_heard_as_a_fair_listener_would() -> None:
    """On the labelled answers: precision at least 0.9, recall at least 0.8, for the points."""
    questions = Library(shipped_root()).questions
    right = extra = missed = 0
    for item in yaml.safe_load(SPOKEN.read_text(encoding="utf-8")):
        asked = questions[item["question"]][1]
        assert isinstance(asked, Open)
        heard = {point.id for point in match_open(asked, item["says"]).covered}
        said = set(item["covers"])
        right, extra, missed = (
            right + len(heard & said), extra + len(heard - said), missed + len(said - heard)
        )  # fmt: skip
    assert right / (right + extra) >= 0.9
    assert right / (right + missed) >= 0.8


POINTS = question(
    "open",
    points=[{"id": f"p{n}", "says": f"Point {n}.", "accept": [f"word{n}"]} for n in range(4)],
    wrong=[{"says": "No.", "accept": ["nonsense"]}],
    model="word0 word1 word2 word3",
)


@given(st.sets(st.integers(0, 3)), st.booleans(), st.lists(st.integers(0, 4), unique=True))
def test_flipping_rows_twice_changes_nothing_and_once_changes_the_score(
    said: set[int], claims: bool, rows: list[int]
) -> None:
    """The learner has the last word: each letter turns one row around."""
    text = " ".join(f"word{n}" for n in said) + (" nonsense" if claims else "")
    match = match_open(POINTS, text)
    assert {p.id for p in match.covered} == {f"p{n}" for n in said}
    assert len(match.wrong_claims) == claims
    ids = [p.id for p in (*match.covered, *match.missing)]
    turned = corrected(match, rows)
    flipped = {ids[row] for row in rows if row < 4}
    assert {p.id for p in turned.covered} == {p.id for p in match.covered} ^ flipped
    assert len(turned.wrong_claims) == (claims and 4 not in rows)
    assert 0 <= mark_open(turned).score <= 1


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    """Any text is matched."""
    match = match_open(POINTS, text)
    assert len(match.covered) + len(match.missing) == 4


def test_the_longest_reply_is_matched() -> None:
    """A reply of the greatest length, all of one word, comes back."""
    text = "word0 not " * (MAX_REPLY // 10)
    assert match_open(POINTS, text).covered
