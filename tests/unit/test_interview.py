"""An interview is a function of its log."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Level, Number, Open
from quizprep.quiz.interview import (
    MOST_OPENINGS,
    Asked,
    Begun,
    Coded,
    Ended,
    Paused,
    Step,
    choose,
    follow_up,
    next_part,
    read,
    write,
)

LIBRARY = Library(shipped_root())
QUESTIONS = LIBRARY.questions
LEVELS = st.none() | st.sampled_from(Level)


@given(st.integers(0, 2**31), LEVELS, st.integers(5, 180), st.data())
def test_an_interview_asks_nothing_twice_and_ends(
    seed: int, level: Level | None, minutes: int, data: st.DataObject
) -> None:
    """Openings, each followed up from its own list, then a number, then a kernel, then the end;
    pauses anywhere change nothing."""
    begun = choose(QUESTIONS, LIBRARY.exercises, level, minutes, seed)
    assert begun == choose(QUESTIONS, LIBRARY.exercises, level, minutes, seed)
    steps: list[Step] = [begun]
    roles = []
    while part := next_part(steps, QUESTIONS, 1.0):
        assert part == next_part([*steps, Paused()], QUESTIONS, 1.0)
        roles.append(part.role)
        if part.role == "kernel":
            steps.append(Coded(part.id, data.draw(st.booleans())))
            continue
        question = QUESTIONS[part.id][1]
        if part.role == "follow-up":
            assert part.id in QUESTIONS[steps[-1].question][1].follow_ups
        ids = [point.id for point in question.points] if isinstance(question, Open) else []
        missing = data.draw(st.sets(st.sampled_from(ids))) if ids else set()
        steps.append(Asked(part.id, part.role, 1, tuple(missing)))
    names = [step.question for step in steps if isinstance(step, Asked)]
    assert len(set(names)) == len(names)
    assert set(begun.openings) <= set(names)
    assert roles.count("kernel") == (begun.exercise is not None)
    assert roles == sorted(roles, key=lambda role: {"number": 1, "kernel": 2}.get(role, 0))
    assert next_part(steps, QUESTIONS, 0.0) is None


@given(st.integers(0, 2**31), LEVELS, st.integers(5, 180))
def test_what_is_chosen_fits_level_and_time(seed: int, level: Level | None, minutes: int) -> None:
    """Openings on different topics, of the level; the kernel takes at most half of the time."""
    begun = choose(QUESTIONS, LIBRARY.exercises, level, minutes, seed)
    assert len(begun.openings) <= MOST_OPENINGS
    chosen = [QUESTIONS[name] for name in begun.openings]
    assert len({topic for topic, _ in chosen}) == len(chosen)
    assert all(isinstance(q, Open) and level in (None, q.level) for _, q in chosen)
    if begun.number:
        number = QUESTIONS[begun.number][1]
        assert isinstance(number, Number)
        assert level in (None, number.level)
    if begun.exercise:
        assert LIBRARY.exercise(begun.exercise).spec.minutes <= minutes / 2


def test_the_follow_up_is_about_what_was_missed() -> None:
    """Over all banks: another point missed may bring another question, and what the author
    listed first comes where nothing was missed."""
    changed = 0
    for _, question in QUESTIONS.values():
        if not isinstance(question, Open) or not question.follow_ups:
            continue
        first = follow_up(question, [], QUESTIONS, set())
        assert first is not None
        assert first.id == question.follow_ups[0]
        after = {follow_up(question, [point], QUESTIONS, set()).id for point in question.points}
        assert after <= set(question.follow_ups)
        changed += len(after) > 1
        rest = follow_up(question, [], QUESTIONS, {first.id})
        assert rest is None or rest.id != first.id
    assert changed


STEPS = st.one_of(
    st.builds(Begun, st.lists(st.text()).map(tuple), st.none() | st.text(), st.none() | st.text()),
    st.builds(
        Asked, st.text(), st.sampled_from(["opening", "follow-up", "number"]), st.integers(0, 9),
        st.lists(st.text()).map(tuple),
    ),
    st.builds(Coded, st.text(), st.booleans(), st.text(), st.lists(st.text()).map(tuple)),
    st.just(Paused()),
    st.just(Ended()),
)  # fmt: skip


@given(STEPS)
def test_a_step_comes_back_as_it_was_written(step: Step) -> None:
    """Through JSON and back."""
    assert read(write(step)) == step
