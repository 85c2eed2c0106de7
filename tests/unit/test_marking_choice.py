"""Choice and order: letters and numbers are read alike, and credit is partial with its reason."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.quiz.marking import Invalid, Mark, mark, model_answer
from quizprep.quiz.presented import label, present
from tests.unit.questions import question

RIGHTS = [True, False, True, False, False]
SEVERAL = question(
    "choice",
    options=[
        {"text": f"option {place}", "right": right, "says": f"because of {place}"}
        for place, right in enumerate(RIGHTS)
    ],
)
ONE = question(
    "choice",
    options=[
        {"text": "yes", "right": True},
        {"text": "no", "says": "It is not no."},
        {"text": "?"},
    ],
)
STEPS = question("order", steps=["first", "second", "third", "fourth"])

SUBSETS = st.sets(st.integers(0, 4), min_size=1)
FORMS = st.sampled_from([", ", " ", "", " and ", ",", " & "])


@given(SUBSETS, st.permutations(range(5)), FORMS, st.booleans(), st.randoms())
def test_the_score_is_hits_less_wrong_ones_whatever_the_order_and_spelling(
    chosen: set[int], shown: list[int], form: str, numbers: bool, dice: object
) -> None:
    """Shuffled options, letters or numbers in any order give the score of the options meant."""
    rows = [shown.index(place) for place in chosen]
    dice.shuffle(rows)  # type: ignore[attr-defined]
    reply = form.join(str(row + 1) if numbers else label(row).upper() for row in rows)
    result = mark(SEVERAL, {}, reply, shown)
    assert isinstance(result, Mark)
    hits = sum(RIGHTS[place] for place in chosen)
    assert result.score == max(0, hits - (len(chosen) - hits)) / 2


@given(SUBSETS)
def test_every_wrong_option_chosen_and_right_one_missed_is_explained(chosen: set[int]) -> None:
    """Partial credit comes with the reason for each part."""
    result = mark(SEVERAL, {}, " ".join(label(place) for place in chosen))
    assert isinstance(result, Mark)
    for place, right in enumerate(RIGHTS):
        explained = any(f"because of {place}" in reason for reason in result.says)
        assert explained == ((place in chosen) != right)


def test_the_chosen_wrong_option_is_the_trap() -> None:
    """One wrong letter gives the option's own explanation."""
    assert mark(ONE, {}, "b") == Mark(0.0, ("b is wrong: It is not no.",), "It is not no.")


@pytest.mark.parametrize("reply", ["d", "a b", "0", "4", "yes", "a a", "!", "ab", "7"])
def test_letters_that_are_not_there_or_too_many_cost_nothing(reply: str) -> None:
    """Where one option is right, anything but one of its letters is Invalid."""
    assert isinstance(mark(ONE, {}, reply), Invalid)


@given(st.permutations(range(4)), st.permutations(range(4)), FORMS)
def test_order_counts_the_pairs_that_stand_the_right_way_round(
    said: list[int], shown: list[int], form: str
) -> None:
    """Full marks for the right order only; none at or below chance."""
    reply = form.join(label(shown.index(place)) for place in said)
    result = mark(STEPS, {}, reply, shown)
    assert isinstance(result, Mark)
    straight = sum(a < b for a, b in combinations(said, 2))
    assert result.right == (said == sorted(said))
    assert result.score == pytest.approx(max(0, 2 * straight / 6 - 1))


@pytest.mark.parametrize("reply", ["a b c", "a b c d a", "first second", "abce", "1 2 3 5"])
def test_an_order_must_name_every_step_once(reply: str) -> None:
    """A part of an order is Invalid, not wrong."""
    assert isinstance(mark(STEPS, {}, reply), Invalid)


@given(st.integers(0, 2**31))
def test_a_seed_gives_the_same_order_again_and_never_the_right_one(seed: int) -> None:
    """Steps are always shuffled; the same seed shuffles alike, so a round can be repeated."""
    posed = present("t", STEPS, seed)
    assert posed == present("t", STEPS, seed)
    assert sorted(posed.shown) == [0, 1, 2, 3]
    assert posed.shown != (0, 1, 2, 3)


@given(st.permutations(range(5)))
def test_the_letters_of_the_model_answer_are_right(shown: list[int]) -> None:
    """What is shown as the answer would be marked right."""
    letters = "".join(line[0] for line in model_answer(SEVERAL, {}, shown).splitlines())
    assert mark(SEVERAL, {}, letters, shown) == Mark(1.0)


@given(st.text(max_size=40))
def test_no_text_raises(reply: str) -> None:
    """Whatever is typed gives a mark or an Invalid."""
    for each in (ONE, SEVERAL, STEPS):
        assert isinstance(mark(each, {}, reply), Mark | Invalid)
