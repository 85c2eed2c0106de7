"""The line of a slip: which one small edit of the submission makes the failing cases pass?

The learner's process makes and runs the edited candidates; it holds the source, and is confined.
The judge decides which candidates run on which cases, and compares their outputs as it compares the
submission's. A repair says something about the submission; it never passes for it. Whatever the
learner's process does in the search, the verdict on the submission stands by then.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quizprep.grading import wire
from quizprep.grading.verdict import Slip
from quizprep.text import counted
from quizprep.worker import process_stats, protocol
from quizprep.worker.backends import Backend
from quizprep.worker.judge.channel import IN_FLIGHT, Channel, LearnerGone
from quizprep.worker.judge.comparison import Expected, wrong
from quizprep.worker.judge.diagnosis import Observed
from quizprep.worker.judge.examiner import Examined, Examiner, sanitised
from quizprep.worker.judge.exercise_files import Reference
from quizprep.worker.judge.preparation import Cases
from quizprep.worker.judge.script import Drive, RemoteApi, Script, Step, Value, collect

MAX_CANDIDATES = 1200
"""Candidates tried at most; the first few hundred have nearly all repairs."""

BATCH = 16
"""Candidates tried before those that gave the right outputs are tried on other cases."""

MAX_WAIT = 3.0
"""Wall-clock time of the search at most, as a multiple of its processor time: on a busy machine a
search waits, and a candidate may sleep."""

SAME_WORK = 0.75
"""Part of the submission's own steps that a repair must make. A repair that makes fewer has
switched the algorithm off: a chunk as long as the sequence, splits that are left out."""


GRACE = 1.4
"""The part of the budget up to which a candidate may go on that has mended the first case."""

STEPPED_CASES = 6
"""Cases on which steps are counted, about."""

MAX_LINES = 3
"""Lines that are told at most: a scale, for one, may be missing in several places alike."""

LARGER = 100
"""How many times the steps allowed on the smallest failing case a candidate may make on others."""


class _Spent(Exception):
    """The budget of the search is used up."""


@dataclass(frozen=True)
class Repair:
    """An edit after which cases pass: ``full`` if all do, else those that failed in one way."""

    number: int
    edit: protocol.EditText
    full: bool


class RepairSearch:
    """One search, after correctness has failed. All cases have been run, and their expected outputs
    are known."""

    def __init__(
        self,
        job: wire.Job,
        channel: Channel,
        learner: int,
        examiner: Examiner,
        reference: Reference,
        cases: Cases,
        backend: Backend,
        seconds: float,
    ) -> None:
        """``learner`` is the process; ``seconds`` of processor time, its and this one's together,
        may be used."""
        self._job = job
        self._channel = channel
        self._learner = learner
        self._examiner = examiner
        self._reference = reference
        self._cases = cases
        self._backend = backend
        self._seconds = seconds
        self._steps: dict[int, int] = {}
        """By place of a case, the steps that the submission itself makes."""
        self.tried = 0
        """Candidates tried so far."""
        self.right_afresh: int | None = None
        """The place of a failing case in which the submission, loaded afresh, is right."""

    def slip(self, seen: Sequence[Observed]) -> Slip | None:
        """The line in which one edit makes cases pass, or None. ``seen`` has every case."""
        failing = [place for place, case in enumerate(seen) if case.failed]
        first = min(failing, key=lambda place: len(self._cases.inputs(place).placed.memory))
        group = {place for place in failing if self._alike(seen, place, first)}
        self._start = self._times()
        self._deadline = time.monotonic() + MAX_WAIT * self._seconds
        self._channel.patience = self._deadline
        repairs: list[Repair] = []
        try:
            if not self._repeats(first, seen[first]):
                return None
            for repair in self._repairs(first, failing, group, len(seen)):
                repairs.append(repair)
        except (_Spent, LearnerGone):
            pass  # with what was found so far
        finally:
            self._channel.patience = None
        return self._said(repairs, group, len(seen))

    def _said(self, repairs: Sequence[Repair], group: set[int], total: int) -> Slip | None:
        """What the repairs that were found agree on."""
        best = [repair for repair in repairs if repair.full] or repairs
        if not best:
            return None
        repair, lines = best[0], dict.fromkeys(each.edit.line for each in best)
        if repair.edit.places > 1 and len(lines) > 1:
            return None
        words = f"all {total} cases"
        if not repair.full:
            dtype = self._job.cases[min(group)].dtype
            words = f"{counted(len(group), 'case')} in {dtype}"
        edit = repair.edit
        after = sanitised(edit.after)
        return Slip(
            line=edit.line,
            text=sanitised(edit.text),
            cases=words,
            edit=f"{sanitised(edit.before)} -> {after}" if after else f"without {edit.before}",
            also=tuple(lines)[1:MAX_LINES],
        )

    def _alike(self, seen: Sequence[Observed], one: int, two: int) -> bool:
        """Whether two cases fail in one way: by the same exception or none, in the same dtype."""
        cases = self._job.cases
        return (seen[one].raised, cases[one].dtype) == (seen[two].raised, cases[two].dtype)

    def _repeats(self, place: int, seen: Observed) -> bool:
        """Whether the submission, loaded afresh, does the same again: a random one cannot be
        searched, and one that keeps state fails in another way."""
        found, steps = self._run(0, place, 1 << 20)
        self._steps[place] = steps
        if not found.message:
            self.right_afresh = place
            return False
        if found.outputs is None or seen.outputs is None:
            raised = found.raised.kind if found.raised else ""
            return found.outputs is None and seen.outputs is None and raised == seen.raised
        return all(
            one.shape == two.shape and np.array_equal(one, two, equal_nan=True)
            for one, two in zip(found.outputs, seen.outputs, strict=False)
        )

    # --- the search ---

    def _repairs(
        self, first: int, failing: Sequence[int], group: set[int], total: int
    ) -> Iterator[Repair]:
        """Every edit after which all cases pass, or at least those of the group and those that
        passed before."""
        count = min(self._channel.list_edits(), MAX_CANDIDATES)
        enough = count
        for start in range(1, count + 1, BATCH):
            for number in self._survivors(range(start, min(start + BATCH, count + 1)), first):
                repair = self._confirmed(number, first, failing, group, total)
                if repair is not None:
                    yield repair
                    enough = min(enough, 2 * number + 2 * BATCH)
            if start + BATCH > enough:
                return

    def _survivors(self, numbers: range, place: int) -> list[int]:
        """The candidates whose outputs on this case are right."""
        limit = self._limit(place)
        if self._reference.drive is not None:
            found = []
            for number in numbers:
                self._check_budget()
                self.tried += 1
                if not self._run(number, place, limit, hasty=True)[0].message:
                    found.append(number)
            return found
        placed, expected = self._cases.inputs(place).placed, self._cases.expected(place)
        sent: list[tuple[int, int]] = []
        found, waiting = [], list(numbers)
        while waiting or sent:
            while waiting and len(sent) < IN_FLIGHT and self._channel.has_room(placed):
                number = waiting.pop(0)
                call = self._channel.start_call(placed, candidate=number, max_steps=limit)
                sent.append((number, call))
            number, call = sent.pop(0)
            reply = self._channel.receive(call)
            self.tried += 1
            if self._examiner.accepts(reply, expected, self._job.cases[place].gradients):
                found.append(number)
        self._check_budget()
        return found

    def _confirmed(
        self, number: int, first: int, failing: Sequence[int], group: set[int], total: int
    ) -> Repair | None:
        """The repair that this candidate is, if it is one."""

        def smallest_first(places: Iterable[int]) -> list[int]:
            return sorted(places, key=lambda p: len(self._cases.inputs(p).placed.memory))

        others = [place for place in failing if place not in group]
        passing = smallest_first({*range(total)} - {*failing})
        made = {first: 0}
        full = True
        for place in (first, *smallest_first(group - {first}), *passing, *smallest_first(others)):
            found, made[place] = self._run(number, place, LARGER * self._limit(first))
            self._check_budget(GRACE)
            if found.message:
                if place not in others:
                    return None
                full = False
                break
        if not self._does_the_work(made, smallest_first(made)):
            return None
        edit = self._channel.describe_edit(number)
        return None if edit is None else Repair(number, edit, full)

    def _does_the_work(self, made: Mapping[int, int], by_size: Sequence[int]) -> bool:
        """Whether a candidate made about as many steps as the submission, on a few cases of all
        sizes but the largest. ``made`` has its steps by place of the case."""
        sample = by_size[: len(by_size) * 9 // 10 + 1 : max(1, len(by_size) // STEPPED_CASES)]
        for place in sample:
            if place not in self._steps:
                self._steps[place] = self._run(0, place, 1 << 20)[1]
                self._check_budget(GRACE)
        own = sum(self._steps[place] for place in sample)
        return sum(made[place] for place in sample) >= SAME_WORK * own

    def _limit(self, place: int) -> int:
        """Steps that a candidate may make on this case."""
        return 4 * self._steps[place] + 200

    def _times(self) -> tuple[int, int]:
        """Nanoseconds of processor time that each of the two processes has used."""
        return process_stats.cpu_time(self._learner), time.process_time_ns()

    def _check_budget(self, factor: float = 1.0) -> None:
        """Raise _Spent if the budget, times ``factor``, is used up. One process waits while the
        other works, or works beside it, so the busier one counts."""
        used = max(now - then for now, then in zip(self._times(), self._start, strict=True))
        if used > factor * self._seconds * 1e9 or time.monotonic() > self._deadline:
            raise _Spent

    def _run(
        self, number: int, place: int, limit: int, hasty: bool = False
    ) -> tuple[Examined, int]:
        """What is wrong with a candidate's outputs on a case, and the steps that it made. A script
        that is ``hasty`` ends at its first wrong output."""
        case, made = self._job.cases[place], self._cases.inputs(place)
        expected = self._cases.expected(place)
        if self._reference.drive is not None:
            api = RemoteApi(
                self._channel,
                made.placed,
                self._backend,
                self._job.spec.entries,
                meter="",
                candidate=number,
                max_steps=limit,
            )
            drive = self._reference.drive
            script = Script(api, self._until_wrong(drive, expected) if hasty else drive, made.args)
            script.finish()
            found, steps = self._examiner.script(script, expected, case.params), api.steps
            return self._with_changes(found, self._channel.modified_input(made.placed)), steps
        found, steps = Examined(), 0
        for _ in range(1 + (case.twice and number > 0)):
            call = self._channel.start_call(made.placed, candidate=number, max_steps=limit)
            reply = self._channel.receive(call)
            steps = steps or reply.steps
            changed = self._channel.modified_input(made.placed)
            found = self._examiner.reply(reply, expected, case.params, case.gradients)
            if not found.message and (reply.invalid_access is not None or reply.race is not None):
                found = replace(found, message="an access that a GPU would not forgive")
            found = self._with_changes(found, changed)
            if found.message:
                break
        return found, steps

    def _with_changes(self, found: Examined, changed: str) -> Examined:
        if found.message or not changed:
            return found
        return replace(found, message=f"changed {changed}")

    def _until_wrong(self, drive: Drive, expected: Expected) -> Drive:
        """A script that ends behind its first wrong output."""

        def hasty(api: Value, *args: Value) -> Iterator[Step]:
            right = list(zip(expected.values, expected.allowed, strict=True))
            for step in drive(api, *args):
                yield step
                for got in collect([step]):
                    known = self._backend.is_array(got) or isinstance(got, np.float64)
                    if not known or not right:
                        return
                    values, allowed = right.pop(0)
                    seen = self._backend.exact(got)
                    if seen.shape != values.shape or wrong(values, allowed, seen).any():
                        return

        return hasty
