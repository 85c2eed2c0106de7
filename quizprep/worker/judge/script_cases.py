"""The cases of a script of calls.

A script is driven as an unkind caller would: its tensors are overwritten after each call where the
exercise says so, and a case with other values of the same sizes takes turns with the one before.
Where that fails, each case runs again by itself, with its tensors left alone. If it fails there
too, that is what is told and diagnosed; if not, the caller's part in it is the fault.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from quizprep.grading import wire
from quizprep.worker import arena
from quizprep.worker.backends import Backend
from quizprep.worker.judge.channel import Channel, LearnerGone
from quizprep.worker.judge.comparison import Expected
from quizprep.worker.judge.examiner import Examined, Examiner, disturbance
from quizprep.worker.judge.exercise_files import Reference
from quizprep.worker.judge.preparation import Cases
from quizprep.worker.judge.script import RemoteApi, Script, in_turns

KEPT_ARGUMENTS = (
    "Your code is right only while the caller leaves its own tensors alone: here they were "
    "overwritten after each call. Copy what you keep."
)
SHARED_STATE = (
    "Your code is right with one object, and wrong with two that are in use at once. What belongs "
    "to an object is made in its __init__, not in the class or the module."
)

Judged = tuple[Examined, str]
"""What is wrong with a case's outputs, and what of the caller's its calls changed or rely on."""


class ScriptCases:
    """The cases of one job, judged in order."""

    def __init__(
        self,
        job: wire.Job,
        cases: Cases,
        reference: Reference,
        backend: Backend,
        channel: Channel,
        examiner: Examiner,
    ) -> None:
        self._job = job
        self._cases = cases
        self._reference = reference
        self._backend = backend
        self._channel = channel
        self._examiner = examiner
        self._unkind = True
        """Whether no case has failed by itself yet; after that, cases run by themselves."""
        self._next: _Run | None = None
        """The run of the next cases, driven in advance."""
        self._judged: dict[int, Judged] = {}

    def judged(self, place: int) -> Judged:
        """What is wrong with the case at that place; raises LearnerGone."""
        if place not in self._judged:
            run = self._next or self._drive(self._turn(place), self._unkind)
            self._judge(run)
        return self._judged.pop(place)

    def _turn(self, place: int) -> tuple[int, ...]:
        """The places of the cases that are driven together, beginning with this one."""
        following = self._job.cases[place + 1 : place + 2]
        if self._unkind and following and following[0].again:
            return place, place + 1
        return (place,)

    def _drive(self, places: tuple[int, ...], unkind: bool) -> _Run:
        """The script of these cases, driven until only its last replies are pending."""
        assert self._reference.drive is not None
        drive, placed = self._reference.drive, self._cases.inputs(places[0]).placed
        if len(places) == 2:
            drive = in_turns(drive)
            placed = arena.side_by_side(placed, self._cases.inputs(places[1]).placed)
        overwrite = unkind and self._job.spec.cases.overwrites
        names = self._job.spec.entries
        api = RemoteApi(self._channel, placed, self._backend, names, "", overwrite)
        script = Script(api, drive, placed.views(self._backend))
        return _Run(places, overwrite, placed, api, script, self._channel)

    def _judge(self, run: _Run) -> None:
        """Judge the cases of a run; raises LearnerGone."""
        # The learner works on the other core meanwhile.
        expected = [self._cases.expected(place) for place in run.places]
        run.finish()
        following = run.places[-1] + 1
        more = following < len(self._job.cases)
        self._next = self._drive(self._turn(following), self._unkind) if more else None
        found = self._examine(run)
        if found.message and run.is_unkind and not self._job.brief:
            self._judge_kindly(run, found)
            return
        outputs = [found.outputs] * len(expected)
        if found.outputs is not None:
            first = len(expected[0].values)
            outputs = [found.outputs[:first], found.outputs[first:]]
        for place, values in zip(run.places, outputs, strict=False):
            self._judged[place] = replace(found, outputs=values), run.disturbed

    def _judge_kindly(self, failed: _Run, found: Examined) -> None:
        """Judge the cases of a run that failed, each by itself and with its tensors left alone."""
        try:
            if self._next is not None:
                self._next.finish()  # its inputs lie where those of the following runs go
            judged = [self._alone(place, unkind=False) for place in failed.places]
            if not any(one.message for one, _ in judged):
                kept = failed.overwrites and (
                    len(failed.places) == 1
                    or any(self._alone(place, unkind=True)[0].message for place in failed.places)
                )
                judged[-1] = judged[-1][0], KEPT_ARGUMENTS if kept else SHARED_STATE
            else:
                self._unkind = False
        except LearnerGone:
            # The next case reports the end.
            judged = [(replace(found, outputs=None), "")] * len(failed.places)
        self._judged.update(zip(failed.places, judged, strict=True))

    def _alone(self, place: int, unkind: bool) -> Judged:
        """One case by itself; raises LearnerGone."""
        run = self._drive((place,), unkind)
        run.finish()
        return self._examine(run), run.disturbed

    def _examine(self, run: _Run) -> Examined:
        expected = [self._cases.expected(place) for place in run.places]
        whole = expected[0] if len(expected) == 1 else _joined(*expected)
        return self._examiner.script(run.script, whole, self._job.cases[run.places[0]].params)


@dataclass
class _Run:
    """One script, or two in turns, of the cases at ``places``."""

    places: tuple[int, ...]
    overwrites: bool
    placed: arena.PlacedInputs
    api: RemoteApi
    script: Script
    channel: Channel
    disturbed: str = ""
    finished: bool = False

    @property
    def is_unkind(self) -> bool:
        """Whether it asks more of the submission than one object and tensors left alone."""
        return self.overwrites or len(self.places) > 1

    def finish(self) -> None:
        """Read every reply, so that another script can be driven; raises LearnerGone."""
        if self.finished:
            return
        self.script.finish()
        modified = self.channel.modified_input(self.placed)
        self.disturbed = disturbance(modified, self.api.disturbed)
        self.finished = True


def _joined(one: Expected, two: Expected) -> Expected:
    """What two runs in turns should give."""
    return Expected(
        (*one.values, *two.values),
        (*one.allowed, *two.allowed),
        (*one.dtypes, *two.dtypes),
        (*one.names, *two.names),
    )
