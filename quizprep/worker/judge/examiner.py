"""Are the outputs right? Examines replies to calls, and the outputs of scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from quizprep.content.exercises import ExerciseSpec, Runtime
from quizprep.grading.verdict import Frame, Params, Raised, Symptom
from quizprep.text import counted, printable
from quizprep.worker import protocol
from quizprep.worker.arena import PlacedInputs
from quizprep.worker.backends import MAX_AXES, Array, Backend, numpy_holds
from quizprep.worker.judge.channel import Channel
from quizprep.worker.judge.comparison import Expected, wrong
from quizprep.worker.judge.error_location import Detail, Problem, locate, shape_slip, straightened
from quizprep.worker.judge.script import RemoteObject, Script, ScriptFailed

BANNED = "Your code calls the library's own attention ({name}); this exercise is about writing it."

_DISTURBED = {
    "": "",
    "result": "Your code changed a result that it had returned before; what is returned belongs to "
    "the caller. Make a new tensor in each call.",
    "list": "Your code changed a list that it was given; the list belongs to the caller. Work on a "
    "copy: list(items).",
    "dtype": "Your code changed torch's default dtype and left it so; the setting belongs to the "
    "caller. Name the dtype where you make a tensor.",
    "device": "Your code changed torch's default device and left it so; the setting belongs to "
    "the caller. Name the device where you make a tensor.",
    "gradients": "Your code switched the recording of gradients for good; the setting belongs to "
    "the caller. Use `with torch.no_grad():`.",
}


def disturbance(modified: str, disturbed: protocol.Disturbed) -> str:
    """What of the caller's a call changed, in words: the input ``modified``, or what the learner's
    process saw; "" if nothing."""
    if modified:
        return f"Your code changed its input {modified}; inputs belong to the caller."
    return _DISTURBED[disturbed]


SHOWN_OUTPUTS = 3
"""Wrong outputs of one call that a message describes."""


@dataclass(frozen=True)
class Examined:
    """What is wrong with a reply; all is well if ``message`` is empty.

    symptom       how it fails, if it does
    outputs       the values in float64, if there are any
    straightened  the same in the right shapes, where a shape is only turned or has axes of size 1
                  too many or too few
    detail        how much the message says
    """

    message: str = ""
    symptom: Symptom | None = None
    outputs: tuple[np.ndarray, ...] | None = None
    straightened: tuple[np.ndarray, ...] | None = None
    raised: Raised | None = None
    detail: Detail = Detail.NOTHING


class Examiner:
    """Examines outputs by the names and axes that the exercise gives them."""

    def __init__(self, spec: ExerciseSpec, backend: Backend, channel: Channel) -> None:
        self._returns = spec.returns
        self._runtime = spec.runtime
        self._backend = backend
        self._channel = channel

    def reply(
        self,
        reply: protocol.Reply,
        expected: Expected,
        params: Params,
        gradients: Sequence[str] = (),
    ) -> Examined:
        """Examine the reply to a call; ``gradients`` are the inputs that it was differentiated
        by."""
        if stopped := _stopped(reply):
            return stopped
        names = [*self._returns, *(f"gradient of {name}" for name in gradients)]
        kinds = [output.kind for output in reply.outputs]
        if len(kinds) != len(names):
            wanted = f"{len(names)} ({', '.join(names)})" if len(names) > 1 else f"1 ({names[0]})"
            text = f"Your code returned {len(kinds)} values; it should return {wanted}."
            return Examined(text, Symptom.RETURNED)
        for name, kind in zip(names, kinds, strict=True):
            if kind != "tensor":
                thing = "an array" if self._runtime is Runtime.NUMPY else "a tensor"
                text = f"{name} should be {thing}; your code returned a {sanitised(kind)}."
                return Examined(text, Symptom.RETURNED)
        tensors = self._channel.outputs(reply)
        arrays = tuple(tensors[str(place)] for place in range(len(names)))
        return self._compared(names, arrays, expected, params)

    def accepts(
        self, reply: protocol.Reply, expected: Expected, gradients: Sequence[str] = ()
    ) -> bool:
        """Whether the outputs of a reply are right, without a word about it; raises LearnerGone."""
        if _stopped(reply) or reply.invalid_access is not None or reply.race is not None:
            return False
        wanted = len(self._returns) + len(gradients)
        if [output.kind for output in reply.outputs] != ["tensor"] * wanted:
            return False
        tensors = self._channel.outputs(reply)
        return expected.accepts([self._backend.exact(tensors[str(p)]) for p in range(wanted)])

    def script(self, script: Script, expected: Expected, params: Params) -> Examined:
        """Examine the outputs of a script; raises LearnerGone."""
        script.finish()
        try:
            outputs = script.outputs()
        except ScriptFailed as failed:
            stopped = _stopped(failed.reply) or Examined()
            return replace(stopped, message=f"{stopped.message} (in {failed.call})")
        except Exception as error:
            # The same script ran on the reference, so the submission's results caused the error.
            message = f"Your code returned something that cannot be used further: {error}"
            return Examined(sanitised(message), Symptom.RETURNED)
        if outputs.names != expected.names:
            text = "Your code returns another number of values than it should."
            return Examined(text, Symptom.RETURNED)
        for name, value in zip(outputs.names, outputs, strict=True):
            if not self._backend.is_array(value) and not isinstance(value, np.float64):
                what = type(value).__name__ if not isinstance(value, RemoteObject) else "object"
                text = f"{name} should be a tensor; your code returned {what}."
                return Examined(text, Symptom.RETURNED)
        return self._compared(outputs.names, outputs, expected, params)

    def _compared(
        self, names: Sequence[str], arrays: Sequence[Array], expected: Expected, params: Params
    ) -> Examined:
        for place, (name, array) in enumerate(zip(names, arrays, strict=True)):
            shape = tuple(getattr(array, "shape", ()))
            if not numpy_holds(shape):
                many = len(shape) >= MAX_AXES
                has = f"{len(shape)} axes" if many else f"the shape {shape}"
                wanted = expected.values[place].shape
                text = f"{name} has {has}; it should have the shape {wanted}"
                return Examined(text, Symptom.SHAPE)
        values = tuple(self._backend.exact(array) for array in arrays)
        straight = list(values)
        problems: list[Problem] = []
        for place, name in enumerate(names):
            axes = self._returns.get(name, ())
            right, got = expected.values[place], values[place]
            axes = axes if len(axes) == right.ndim else tuple(f"axis{a}" for a in range(right.ndim))
            if len(names) > len(self._returns) and names.count(name) > 1:
                name = f"{name} (number {names[: place + 1].count(name)})"
            if got.shape != right.shape:
                slip = shape_slip(axes, right.shape, got.shape)
                problems.append(Problem(f"{name}: {slip}", Symptom.SHAPE))
                turned = straightened(right.shape, got)
                if turned is None:
                    continue
                straight[place] = got = turned
            dtype, right_dtype = self._backend.dtype(arrays[place]), expected.dtypes[place]
            if wrong(right, expected.allowed[place], got).any():
                problems.append(locate(name, axes, right, expected.allowed[place], got, params))
            if right_dtype not in ("", dtype):
                problems.append(
                    Problem(f"{name} is {dtype}; it should be {right_dtype}", Symptom.DTYPE)
                )
        shown = problems[:SHOWN_OUTPUTS]
        return Examined(
            "; ".join(problem.says for problem in shown),
            min((problem.symptom for problem in problems), key=list(Symptom).index, default=None),
            values,
            tuple(straight),
            detail=max((problem.detail for problem in shown), default=Detail.NOTHING),
        )


def _stopped(reply: protocol.Reply) -> Examined | None:
    """Why a call has no outputs that count; None if it has."""
    raised = sanitised_exception(reply.raised)
    if reply.banned:
        text = BANNED.format(name=sanitised(reply.banned))
        return Examined(text, Symptom.REFUSED, raised=raised)
    if raised is not None:
        text = f"Your code raised {raised.kind}: {raised.message}"
        return Examined(text, Symptom.RAISED, raised=raised)
    if reply.patched:
        name = sanitised(reply.patched)
        text = f"Your code replaced {name}, with which it is measured."
        return Examined(text, Symptom.REFUSED)
    return None


def sanitised(text: str) -> str:
    """A text from the submission, unable to overwrite the report."""
    return printable(text, keep="\n")


def sanitised_exception(raised: Raised | None) -> Raised | None:
    """An exception reported by the learner's process, safe for a terminal."""
    if raised is None:
        return None
    frames = tuple(
        Frame(line=f.line, function=sanitised(f.function), text=sanitised(f.text))
        for f in raised.frames
    )
    return Raised(kind=sanitised(raised.kind), message=sanitised(raised.message), frames=frames)


def race_message(race: protocol.Race) -> str:
    """A race between programs of a kernel, in words."""
    element = f"[{', '.join(map(str, race.index))}]" if race.index else ""
    line = f" (line {race.line})" if race.line else ""
    return (
        f"Several programs of a launch access {sanitised(race.name)}{element}{line}, at least one "
        "with a store that is no atomic: on a GPU they run at once, and an update is lost"
    )


def access_message(access: protocol.InvalidAccess, placed: PlacedInputs) -> str:
    """A kernel's invalid access, in words."""
    does = "writes" if access.writes else "reads"
    line = f" (line {access.line})" if access.line else ""
    known = 0 <= access.arg < len(placed.names)
    name, by = placed.names[access.arg] if known else sanitised(access.name), access.by
    if not name:
        return (
            f"Your kernel {does} outside every tensor that it was given{line}; mask lanes "
            "that have no element"
        )
    if by == 0:
        return (
            f"Your kernel {does} between the elements of {name}, which do not lie side by side "
            f"here{line}; mask lanes that have no element, and take each element at the sum of its "
            "indices times their strides"
        )
    where = "past the end" if by > 0 else "before the start"
    return (
        f"Your kernel {does} {counted(abs(by), 'element')} {where} of {name}{line}; mask the lanes "
        "that have no element"
    )
