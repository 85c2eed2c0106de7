"""Cases that pass in Triton's interpreter, run again with what is otherwise on a GPU."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from quizprep.grading import wire
from quizprep.grading.verdict import Symptom
from quizprep.worker.judge.causes import Failure
from quizprep.worker.judge.channel import Channel, LearnerGone
from quizprep.worker.judge.error_location import Detail
from quizprep.worker.judge.examiner import Examiner
from quizprep.worker.judge.explanation import Outcome
from quizprep.worker.judge.preparation import Cases
from quizprep.worker.protocol import GpuKind, UnlikeGpu

AT_EACH_END: dict[GpuKind, int] = {"unfilled": 2, "tf32": 2, "order": 1}
"""Cases of each kind that are run again: so many of the smallest and of the largest."""

SYMPTOMS: dict[GpuKind, Symptom] = {
    "unfilled": Symptom.UNFILLED,
    "tf32": Symptom.TF32,
    "order": Symptom.ORDER,
}

SAYS: dict[GpuKind, str] = {
    "unfilled": (
        "The load in line {line} has a mask and no other, and its masked lanes are used. They are "
        "zeros here and may be anything on a GPU; with NaN in them (1 in integers)"
    ),
    "tf32": (
        "The product in line {line} takes float32 tiles, which tl.dot rounds to TF32 on a GPU "
        'unless it is given input_precision="ieee"; so rounded'
    ),
    "order": (
        "Programs of a launch run here one after the other, and on a GPU in no order; run from the "
        "last to the first"
    ),
}


def as_on_gpu(
    outcomes: Sequence[Outcome],
    unlike: Mapping[int, Sequence[UnlikeGpu]],
    job: wire.Job,
    cases: Cases,
    channel: Channel,
    examiner: Examiner,
) -> list[Outcome]:
    """The outcomes, of which the first to be wrong on a GPU fails, for each kind of difference.

    ``unlike`` says by the place of a case what its kernels use that is otherwise on a GPU. What is
    wrong here too has its own explanation.
    """
    found = list(outcomes)
    uses = [
        (place, each)
        for place, kinds in unlike.items()
        for each in kinds
        if found[place].result.status == "pass"
    ]
    with contextlib.suppress(LearnerGone):
        for kind in SYMPTOMS:
            of_kind = [(place, each.line) for place, each in uses if each.kind == kind]
            some = AT_EACH_END[kind]
            chosen = dict.fromkeys((*of_kind[:some], *of_kind[-some:]))
            for place, line in chosen:
                number = channel.start_call(cases.inputs(place).placed, as_gpu=kind)
                params = job.cases[place].params
                seen = examiner.reply(channel.receive(number), cases.expected(place), params)
                if seen.message:
                    message = f"{SAYS[kind].format(line=line)}, {seen.message}"
                    found[place] = replace(
                        found[place],
                        result=msgspec.structs.replace(
                            found[place].result, status="fail", message=message
                        ),
                        failure=Failure(SYMPTOMS[kind], Detail.REGION, line=line),
                    )
                    break
    return found
