"""The judge: trusted, holds the reference and the mistakes, and decides every stage.

It runs in a process of its own beside the learner. What comes from the learner is data with a
number on it; readings made in the learner's process are checked by witnesses from outside.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from quizprep.grading import wire
from quizprep.text import counted, printable
from quizprep.worker import arena
from quizprep.worker.backends import Backend, backend_for
from quizprep.worker.judge import error_location
from quizprep.worker.judge.channel import Calls, Channel, LearnerGone
from quizprep.worker.judge.comparison import Expected, computed_lower, wrong
from quizprep.worker.judge.cost import Costing
from quizprep.worker.judge.diagnosis import Observed, diagnose
from quizprep.worker.judge.exercise_files import load_mistakes, load_reference
from quizprep.worker.judge.preparation import Cases, Grounds, as_it_is
from quizprep.worker.judge.reference_cache import Kept
from quizprep.worker.judge.script import Remote, RemoteObject, Script, ScriptFailed
from quizprep.worker.judge.witness import Subject, Watch

TELLING = ("every entry is", "only at")
"""Parts of messages that say more than that something is wrong, the most telling first."""

REFUSED = "Your code calls the library's own attention ({name}); this exercise is about writing it."


def main(
    job: wire.Job,
    subject: Subject,
    orders: int,
    replies: int,
    events: int,
    control: int,
    ready: int,
    kept: int,
) -> None:
    """Judge one submission and send the result; a fault of ours is sent as a fault."""
    try:
        backend = backend_for(job.runtime)
        channel = Channel(backend, arena.attach(subject.memory), orders, replies, events, control)
        before = Kept(kept, job)
        result = Judge(job, subject, backend, channel, before).run(ready)
        wire.send(events, result)
        before.save()
    except wire.Closed:
        return
    except Exception:
        with contextlib.suppress(wire.Closed):
            wire.send(events, wire.Fault(message=traceback.format_exc()))


class Judge:
    """The stages of one grading, in order; a failed stage ends it."""

    def __init__(
        self, job: wire.Job, subject: Subject, backend: Backend, channel: Channel, kept: Kept
    ) -> None:
        self.job = job
        self.subject = subject
        self.backend = backend
        self.channel = channel
        self.kept = kept
        self._gradients: tuple[str, ...] = ()
        self.reference = load_reference(job.folder)
        self._cases = Cases(job, self.reference, backend, kept)
        self._grounds = Grounds(job, self.reference, backend)
        channel.meanwhile = self._work_ahead
        self._stray: Literal["", "mask", "strides"] = ""
        self._driven: dict[int, Script] = {}
        """By place of a case, its script, driven before its turn."""

    def run(self, ready: int) -> wire.JudgeResult:
        """Load, correctness, then diagnosis or cost."""
        try:
            unconfined = self.channel.ready(ready)
        except LearnerGone as gone:
            return wire.JudgeResult(load=wire.LoadResult(status="error", message=str(gone)))
        if unconfined and self.job.require_confinement:
            message = f"Not run, because it cannot be confined: {'; '.join(unconfined)} is missing."
            load = wire.LoadResult(status="fail", message=message)
            return wire.JudgeResult(load=load, unconfined=unconfined)
        # Before anything of the submission's exists, so that what it keeps from now on shows.
        watch = Watch(self.subject, self.channel)
        self.channel.tell(wire.Progress(stage="load", done=0, total=1))
        load = self._load()
        if load.status != "pass":
            return wire.JudgeResult(load=load, unconfined=unconfined)
        results, observed = self._correctness()
        if any(result.status == "fail" for result in results):
            diagnosis = None if self.job.brief else self._diagnose(results, observed)
            return wire.JudgeResult(
                load=load, cases=results, diagnosis=diagnosis, unconfined=unconfined
            )
        self._gradients = ()
        if self.job.device == "cuda" and self.job.runtime == "triton":  # unseen: only on a GPU
            message = (
                "traffic is counted in Triton's interpreter; grade without --device cuda as well"
            )
            cost = wire.CostResult(status="skip", message=message)
            return wire.JudgeResult(load=load, cases=results, cost=cost, unconfined=unconfined)
        cost = Costing(
            self.job,
            watch,
            self.backend,
            self.channel,
            self.reference,
            self._grounds,
            self,
            self.kept,
        ).run()
        return wire.JudgeResult(load=load, cases=results, cost=cost, unconfined=unconfined)

    def _work_ahead(self) -> bool:
        """A piece of what will be needed, while the learner is waited for; False at its end."""
        if self._cases.step():
            return True
        # A script sends few calls ahead: the learner would soon wait for the end of a long piece.
        return self.reference.drive is None and not self.job.brief and self._grounds.step()

    # --- load ---

    def _load(self) -> wire.LoadResult:
        try:
            reply = self.channel.load()
        except LearnerGone as gone:
            return wire.LoadResult(status="fail", message=f"While loading, your code {gone}.")
        if reply.raised is not None:
            return wire.LoadResult(
                status="fail", message="Your file could not be loaded.", raised=_told(reply.raised)
            )
        for name, output in zip(self.job.entries, reply.outputs, strict=False):
            if output.kind == "missing":
                message = f"Your file defines no {name}; the starter shows its signature."
            elif output.kind != "callable":
                message = f"{name} in your file is a {_plain(output.kind)}; it should be callable."
            else:
                continue
            return wire.LoadResult(status="fail", message=message)
        return wire.LoadResult(status="pass")

    # --- correctness ---

    def _correctness(self) -> tuple[tuple[wire.CaseResult, ...], list[Observed]]:
        results: list[wire.CaseResult] = []
        observed: list[Observed] = []
        total = len(self.job.cases)
        calls = Calls(self.channel, self._in_order()) if self.reference.drive is None else None
        for number, case in enumerate(self.job.cases):
            if number % 8 == 0:
                self.channel.tell(wire.Progress(stage="correctness", done=number, total=total))
            try:
                if calls is not None:
                    status, message, raised, seen = self._case(number, case, calls)
                else:
                    status, message, raised, seen = self._script_case(number, case)
            except LearnerGone as gone:
                message = f"Your code {gone}."
                results.append(_case_result(case, "fail", message))
                results += [_case_result(rest, "skip", "") for rest in self.job.cases[number + 1 :]]
                break
            results.append(_case_result(case, status, message, raised))
            observed.append(seen)
            if status == "fail" and self.job.brief:
                break
        return tuple(results), observed

    def _case(
        self, place: int, case: wire.Case, calls: Calls
    ) -> tuple[wire.Status, str, wire.Raised | None, Observed]:
        made = self._cases.inputs(place)
        laid, args, around = made.laid, made.args, made.around
        reply, changed = calls.next()
        # The learner is at work on the cases behind it meanwhile.
        expected = self._cases.expected(place)
        self._gradients = case.gradients
        message, outputs = self.check(reply, expected, case.params)
        unequal = bool(message) and outputs is not None
        if message and outputs is not None and around is as_it_is:
            solve = self.reference.solve
            lower = computed_lower(solve, args, self.backend, expected, outputs)
            if lower:
                message += f"; the error is as large as computing in {lower} makes it"
        if not message and changed:
            message = f"Your code changed its input {changed}; inputs belong to the caller."
        if case.twice:
            try:
                again, _ = self.check(calls.next()[0], expected, case.params)
            except LearnerGone:
                # What is known of the first call says more; the next case tells of the end.
                if not message:
                    raise
            else:
                if again and not message:
                    message = f"A second call with the same inputs is wrong: {again}"
        raised = _told(reply.raised)
        seen = Observed(
            args=args,
            expected=expected,
            outputs=outputs,
            raised=raised.kind if raised else "",
            failed=bool(message),
            around=around,
            unequal=unequal,
        )
        # No part of what is diagnosed: models of mistakes have outputs, and no kernels.
        if reply.stray is not None:
            between = reply.stray.arg >= 0 and reply.stray.by == 0
            self._stray = self._stray or ("strides" if between else "mask")
            message = "; ".join(part for part in (message, _strayed(reply.stray, laid)) if part)
        return "fail" if message else "pass", message, raised, seen

    def _in_order(self) -> Iterator[tuple[arena.Laid, str]]:
        """The calls of all cases; some are made twice."""
        for place, case in enumerate(self.job.cases):
            laid = self._cases.inputs(place).laid
            yield laid, ""
            if case.twice:
                yield laid, ""

    def _script_case(
        self, place: int, case: wire.Case
    ) -> tuple[wire.Status, str, wire.Raised | None, Observed]:
        made = self._cases.inputs(place)
        laid, args = made.laid, made.args
        script = self._driven.pop(place, None) or self._drive(place)
        # The learner is at work on the other core meanwhile.
        expected = self._cases.expected(place)
        script.finish()
        changed = self.channel.changed(laid)
        if place + 1 < len(self.job.cases):
            self._driven[place + 1] = self._drive(place + 1)
        message, outputs, raised = self.script(script, expected, case.params)
        unequal = bool(message) and outputs is not None
        if not message and changed:
            message = f"Your code changed its input {changed}; inputs belong to the caller."
        kind = raised.kind if raised else ""
        seen = Observed(args, expected, outputs, kind, bool(message), unequal=unequal)
        return "fail" if message else "pass", message, raised, seen

    def _drive(self, place: int) -> Script:
        """The script of a case, driven up to where it waits for the last of its answers."""
        made = self._cases.inputs(place)
        api = Remote(self.channel, made.laid, self.backend, self.job.entries, metered=False)
        assert self.reference.drive is not None
        return Script(api, self.reference.drive, made.args)

    def script(
        self, script: Script, expected: Expected, params: wire.Params
    ) -> tuple[str, tuple[np.ndarray, ...] | None, wire.Raised | None]:
        """What is wrong with what a script gave, its outputs, and what it raised; raises
        LearnerGone."""
        script.finish()
        try:
            outputs = script.outputs()
        except ScriptFailed as failed:
            raised = _told(failed.reply.raised)
            return f"{self._stopped(failed.reply, raised)} (in {failed.call})", None, raised
        except Exception as error:
            # The same script has run on the reference: what it stumbled over came from there.
            message = f"Your code returned something that cannot be used further: {error}"
            return _plain(message), None, None
        if outputs.names != expected.names:
            return "Your code returns another number of values than it should.", None, None
        for name, value in zip(outputs.names, outputs, strict=True):
            if not self.backend.is_array(value) and not isinstance(value, np.float64):
                what = type(value).__name__ if not isinstance(value, RemoteObject) else "object"
                return f"{name} should be a tensor; your code returned {what}.", None, None
        return (*self._compared(outputs.names, outputs, expected, params), None)

    def check(
        self, reply: wire.Reply, expected: Expected, params: wire.Params
    ) -> tuple[str, tuple[np.ndarray, ...] | None]:
        """What is wrong with a reply, "" if nothing, and its outputs where there are any."""
        stopped = self._stopped(reply, _told(reply.raised))
        if stopped:
            return stopped, None
        names = [*self.job.returns, *(f"gradient of {n}" for n in self._gradients)]
        kinds = [output.kind for output in reply.outputs]
        if len(kinds) != len(names):
            wanted = f"{len(names)} ({', '.join(names)})" if len(names) > 1 else f"1 ({names[0]})"
            return f"Your code returned {len(kinds)} values; it should return {wanted}.", None
        for name, kind in zip(names, kinds, strict=True):
            if kind != "tensor":
                thing = "an array" if self.job.runtime == "numpy" else "a tensor"
                return f"{name} should be {thing}; your code returned a {_plain(kind)}.", None
        tensors = self.channel.outputs(reply)
        arrays = tuple(tensors[str(place)] for place in range(len(names)))
        return self._compared(names, arrays, expected, params)

    def _stopped(self, reply: wire.Reply, raised: wire.Raised | None) -> str:
        """Why a call has no outputs that count, or ""."""
        if reply.refused:
            return REFUSED.format(name=_plain(reply.refused))
        if raised is not None:
            return f"Your code raised {raised.kind}: {raised.message}"
        if reply.patched:
            return f"Your code replaced {_plain(reply.patched)}, with which it is measured."
        return ""

    def _compared(
        self,
        names: Sequence[str],
        arrays: Sequence[Any],
        expected: Expected,
        params: wire.Params,
    ) -> tuple[str, tuple[np.ndarray, ...]]:
        """What is wrong with outputs, and their values."""
        values = tuple(self.backend.exact(array) for array in arrays)
        said = []
        for place, name in enumerate(names):
            axes = self.job.returns.get(name, ())
            right, got = expected.values[place], values[place]
            axes = axes if len(axes) == right.ndim else tuple(f"axis{a}" for a in range(right.ndim))
            if len(names) > len(self.job.returns) and names.count(name) > 1:
                name = f"{name} (number {names[: place + 1].count(name)})"
            if got.shape != right.shape:
                said.append(f"{name}: {error_location.shape_slip(axes, right.shape, got.shape)}")
                continue
            dtype = self.backend.dtype(arrays[place])
            if wrong(right, expected.allowed[place], got).any():
                said.append(
                    error_location.locate(name, axes, right, expected.allowed[place], got, params)
                )
            elif expected.dtypes[place] not in ("", dtype):
                said.append(f"{name} is {dtype}; it should be {expected.dtypes[place]}")
        return "; ".join(said[:3]), values

    # --- diagnosis ---

    def _diagnose(
        self, results: Sequence[wire.CaseResult], observed: list[Observed]
    ) -> wire.DiagnosisResult:
        self.channel.tell(wire.Progress(stage="diagnosis", done=0, total=1))
        failed = [result for result in results if result.status == "fail"]
        telling = next(
            (r for words in TELLING for r in failed if words in r.message),
            failed[0],
        )
        shown = _in_words(telling)
        complete = len(observed) == len(self.job.cases)
        values_wrong = [seen for seen in observed if seen.failed]
        if not complete or not values_wrong:
            return wire.DiagnosisResult(where=shown, stray=self._stray)
        known = load_mistakes(self.job.folder, self.reference)
        found = diagnose(known, observed, self.backend)
        return wire.DiagnosisResult(
            where=shown,
            mistakes=found.mistakes,
            tried=found.tried,
            stray=self._stray,
            # What raises, returns none or changes its inputs has no outputs to be explained.
            unexplained=not found.mistakes and not self._stray and _all_told_by_outputs(observed),
        )


def _all_told_by_outputs(observed: Sequence[Observed]) -> bool:
    """Whether every case that failed failed by its outputs."""
    return all(seen.unequal for seen in observed if seen.failed)


def _told(said: wire.Said | None) -> wire.Raised | None:
    """An exception that the learner's process told, fit for a terminal."""
    if said is None:
        return None
    frames = tuple(
        wire.Frame(line=f.line, function=_plain(f.function), text=_plain(f.text))
        for f in said.frames
    )
    return wire.Raised(kind=_plain(said.kind), message=_plain(said.message), frames=frames)


def _strayed(stray: wire.Stray, laid: arena.Laid) -> str:
    """An access without an element, in words."""
    does = "writes" if stray.writes else "reads"
    line = f" (line {stray.line})" if stray.line else ""
    known = 0 <= stray.arg < len(laid.names)
    name, by = laid.names[stray.arg] if known else _plain(stray.name), stray.by
    if not name:
        return (
            f"Your kernel {does} outside every tensor that it was given{line}; mask lanes "
            "that have no element"
        )
    if by == 0:
        return (
            f"Your kernel {does} between the elements of {name}, which do not lie side by side "
            f"here{line}; an element is at the sum of its indices times their strides"
        )
    where = "past the end" if by > 0 else "before the start"
    count = counted(abs(by), "element")
    return (
        f"Your kernel {does} {count} {where} of {name}{line}; mask the lanes that have no element"
    )


def _plain(text: str) -> str:
    """What a submission says, so that it cannot write over the report."""
    return printable(text, keep="\n")


def _in_words(result: wire.CaseResult) -> str:
    sizes = ", ".join(f"{name}={value}" for name, value in result.params.items())
    return f"{result.message} ({sizes}; {result.dtype}, {result.layout})"


def _case_result(
    case: wire.Case, status: wire.Status, message: str, raised: wire.Raised | None = None
) -> wire.CaseResult:
    return wire.CaseResult(
        params=case.params,
        dtype=case.dtype,
        layout=case.layout,
        magnitude=case.magnitude,
        fresh=case.fresh,
        status=status,
        message=message,
        raised=raised,
    )
