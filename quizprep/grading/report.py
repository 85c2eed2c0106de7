"""A verdict for people and for machines: lines for a terminal, JSON.

This module decides the text, as lines with a style each; wrapping and colour are left to the
terminal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from quizprep.grading.verdict import (
    CaseResult,
    Cause,
    CompiledKernel,
    ErrorMap,
    MaskSeen,
    Params,
    Raised,
    Reading,
    Slip,
    Stage,
    Verdict,
)
from quizprep.meter import MeterKind
from quizprep.text import counted, json_text, mebibytes, printable

Style = Literal["bold", "green", "yellow", "red", "dim"]

_MARKS: dict[str, tuple[str, Style]] = {
    "pass": ("ok  ", "green"),
    "fail": ("FAIL", "red"),
    "error": ("ERR ", "red"),
    "skip": ("--  ", "dim"),
}
CONFINED = (
    "While it is graded, code may compute and use its own empty folder: no other files, no "
    "network, no processes."
)
NO_GPU = (
    "Here your code runs on the CPU, and kernels in Triton's interpreter: no GPU can be asked, "
    "nothing can be timed on one, and tensors are made on the device of the inputs."
)
NO_BLOCK_POINTERS = (
    "This Triton has no block pointers any more. Make a descriptor, d = tl.make_tensor_descriptor("
    "x, shape=[rows, cols], strides=[stride, 1], block_shape=[R, C]), and read d.load([row, col]); "
    "or add rows[:, None] * stride + cols[None, :] to the pointer, and mask what lies outside."
)
NO_ASSEMBLY = "A GPU's assembly cannot run here; what tl and tl.math offer can."
ADVICE = {
    "active drivers": NO_GPU,
    "CUDA enabled": NO_GPU,
    "NVIDIA driver": NO_GPU,
    "CUDA GPUs": NO_GPU,
    "Block pointers have been removed": NO_BLOCK_POINTERS,
    "has no attribute 'advance'": NO_BLOCK_POINTERS,
    "inline_asm not supported": NO_ASSEMBLY,
}
"""By a part of the message of an error that Triton or torch raises: what to do."""
SHOWN_FAILURES = 3
SHOWN_PRINTED_LINES = 12


@dataclass(frozen=True)
class Line:
    """One paragraph: its text, how it looks, how far it is indented.

    Messages, source lines and what was printed come from submissions, so no text has control
    characters.
    """

    text: str
    style: Style | None = None
    indent: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", printable(self.text, keep="\n"))


def lines(
    verdict: Verdict,
    ask: tuple[str, ...] = (),
    before: Verdict | None = None,
    by_line: bool = False,
) -> Iterator[Line]:
    """The report of a verdict.

    ask     topics whose questions belong to its mistakes
    before  the verdict on the file as it was last, where there is one
    by_line with what each line costs
    """
    outcome = "passed" if verdict.passed else "not passed"
    yield Line(f"{verdict.exercise}: {outcome}", "green" if verdict.passed else "red")
    if before is not None:
        yield from _change(before, verdict)
    for stage in verdict.stages:
        if stage.name != "diagnosis":
            yield from _stage(stage, verdict.stage("diagnosis"), by_line)
    if verdict.printed.strip():
        yield Line("Your code printed:", "dim")
        printed = verdict.printed.strip().splitlines()
        for text in printed[:SHOWN_PRINTED_LINES]:
            yield Line(text, "dim", 4)
        if len(printed) > SHOWN_PRINTED_LINES:
            yield Line(f"... and {len(printed) - SHOWN_PRINTED_LINES} more lines", "dim", 4)
    for part in verdict.unconfined:
        yield Line(f"Not confined by {part}: your code ran with more rights than it should.",
                   "yellow")  # fmt: skip
    if ask and not verdict.passed:
        yield Line(f"The questions behind it are due now: quizprep ask {' '.join(ask)}")
    yield Line(f"Seed {verdict.seed}; --seed {verdict.seed} repeats exactly these cases.", "dim")


def _change(before: Verdict, after: Verdict) -> Iterator[Line]:
    """How many cases fail now and failed before, if cases were run both times and any failed."""
    was, now = (verdict.stage("correctness") for verdict in (before, after))
    failed = [sum(case.status == "fail" for case in stage.cases) for stage in (was, now)]
    if was.cases and now.cases and any(failed):
        yield Line(f"{failed[0]} -> {failed[1]} cases fail")


def _stage(stage: Stage, diagnosis: Stage, lines_too: bool) -> Iterator[Line]:
    mark, style = _MARKS[stage.status]
    summary = stage.name
    if stage.status == "skip" and not stage.message:
        summary += ": not reached"
    elif stage.message:
        summary += f": {stage.message}"
    yield Line(f"{mark} {summary}", style)
    yield from _raised(stage.raised)
    if stage.status == "fail" and stage.name in ("correctness", "cost"):
        yield from _diagnosis(diagnosis)
    if stage.name == "correctness" and diagnosis.causes:
        yield from _causes(diagnosis.causes)
        if diagnosis.mask is not None:
            yield from _mask(diagnosis.mask)
        if diagnosis.map is not None:
            yield from _map(diagnosis.map)
    else:
        yield from _failures([case for case in stage.cases if case.status == "fail"])
    for note in stage.notes:
        yield Line(note, "yellow", 5)
    for kernel in stage.kernels:
        yield from _kernel(kernel)
    for reading in stage.readings:
        yield from _reading(reading)
    over = any(r.status == "fail" and r.meter.kind is MeterKind.PEAK_BYTES for r in stage.readings)
    if lines_too:
        yield from _line_costs(stage)
    if stage.alive and (lines_too or over):
        yield from _alive(stage)
    if stage.witness is not None and stage.witness.status != "pass":
        _, style = _MARKS[stage.witness.status]
        yield Line(stage.witness.message, style, 5)
    elif stage.witness is not None:
        yield Line(
            f"seen from outside, the process grew by {mebibytes(stage.witness.resident)}; its "
            f"meters account for {mebibytes(stage.witness.metered)}",
            "dim",
            5,
        )


def _line_costs(stage: Stage) -> Iterator[Line]:
    """What each line costs: a formula, or, without one, the reading at the largest size."""
    if not stage.lines:
        return
    yield Line("What each line costs (flops; element-wise operations; bytes moved):", "bold", 5)
    phase = ""
    for each in stage.lines:
        if each.phase != phase:
            phase = each.phase
            yield Line(f"in {phase}:", "bold", 5)
        kinds = ("flops", "elementwise", "moved_bytes")
        costs = [
            each.formulas.get(kind)
            or (f"{each.largest[kind]:,} at the largest size" if kind in each.largest else "-")
            for kind in kinds
        ]
        number = f"{each.line:4}" if each.line else "   -"
        peak = "  <- peak of working memory" if each.peak else ""
        yield Line(f"{number}  {each.text}{peak}", None, 5)
        yield Line("; ".join(costs), "dim", 11)


def _alive(stage: Stage) -> Iterator[Line]:
    """What is alive at the peak."""
    phase = None
    for each in stage.alive:
        if each.phase != phase:
            phase = each.phase
            yield Line(f"Alive at the peak{f' of {phase}' if phase else ''}:", "bold", 5)
        name = f"{each.name}, line {each.line}" if each.name else f"line {each.line}"
        size = each.formula or f"{each.largest:,}"
        yield Line(f"{name}: {size} bytes{'' if each.formula else ' at the largest size'}", None, 7)


def _kernel(kernel: CompiledKernel) -> Iterator[Line]:
    """What the machine code of a kernel takes of the GPU."""
    spilled = f"{kernel.spilled:,} bytes spilled" if kernel.spilled else "no spills"
    cores = "tensor cores" if kernel.tensor_cores else "no tensor cores"
    yield Line(f"{kernel.name} ({kernel.launched}; {counted(kernel.warps, 'warp')}):", None, 5)
    yield Line(
        f"{kernel.registers} registers, {spilled}, {kernel.shared:,} bytes of shared memory, "
        f"{cores}, occupancy {kernel.occupancy:.0%}",
        None,
        7,
    )
    if kernel.spilled:
        yield Line(
            f"{kernel.spilled:,} bytes of each thread do not fit into its registers and are "
            "written to memory and read again: smaller blocks or more warps would hold them.",
            "yellow",
            7,
        )


def _failures(failed: Sequence[CaseResult]) -> Iterator[Line]:
    """The first failures, which are the smallest; exceptions from the same place are shown once."""
    places = Counter(_place(case) for case in failed)
    shown_places: set[object] = set()
    shown = 0
    for case in failed:
        place = _place(case)
        if place in shown_places or shown == SHOWN_FAILURES:
            continue
        shown += 1
        yield from _case(case, 5)
        if place is None:
            continue
        shown_places.add(place)
        if (more := places[place] - 1) > 0:
            yield Line(f"the same in {counted(more, 'more case')}", "dim", 7)
    rest = len(failed) - shown - sum(places[place] - 1 for place in shown_places)
    if rest > 0:
        yield Line(f"... and {rest} more", "dim", 5)


def _case(case: CaseResult, indent: int) -> Iterator[Line]:
    """A failed case; the text of an exception stands once, below its frames."""
    message = case.message
    if case.raised is not None:
        message = message.replace(f": {case.raised.message}", "", 1)
    yield Line(f"{case.described()}: {message}", None, indent)
    yield from _raised(case.raised)


def _place(case: CaseResult) -> object:
    """Where in the submission an exception was raised; None without one."""
    if case.raised is None:
        return None
    return case.raised.kind, tuple((frame.line, frame.function) for frame in case.raised.frames)


def _causes(causes: Sequence[Cause]) -> Iterator[Line]:
    """Each way in which cases fail: how many do, when, and the case that shows it best."""
    for cause in causes[:SHOWN_FAILURES]:
        text = f"{counted(cause.cases, 'case')}, {cause.when}".removesuffix(", ")
        yield Line("all cases:" if cause.when == "always" else f"{text}:", "bold", 5)
        yield from _case(cause.shown, 7)
    if rest := causes[SHOWN_FAILURES:]:
        number = counted(sum(cause.cases for cause in rest), "case")
        yield Line(f"... and {number} that fail in other ways", "dim", 5)


def _diagnosis(stage: Stage) -> Iterator[Line]:
    for mistake in stage.mistakes:
        yield Line(f"{mistake.id}: {mistake.says}", "yellow", 5)
    if stage.alternatives:
        yield Line("One of these, but the cases do not show which:", "yellow", 5)
    for mistakes in stage.alternatives:
        for number, mistake in enumerate(mistakes):
            joint = "and " if number else ""
            yield Line(f"{joint}{mistake.id}: {mistake.says}", "yellow", 7)
    if stage.slip is not None:
        yield from _slip(stage.slip)
    if stage.departure is not None:
        upto, line = stage.departure.upto, stage.departure.line
        yield Line(
            f"A hint: up to line {upto} your values also occur in a right answer; from line "
            f"{line} they do not.",
            None,
            5,
        )
    if stage.unexplained:
        yield Line(
            "None of the mistakes this exercise knows gives exactly these outputs, so none is "
            "named.",
            "dim",
            5,
        )


def _mask(mask: MaskSeen) -> Iterator[Line]:
    """The submission's mask beside the right one, row by row."""
    yield Line(
        f"Which keys each query sees (rows are queries; {_sizes(mask.params)}; sequence "
        f"{mask.sequence}, head {mask.head}):",
        None,
        5,
    )
    width = max(len("yours"), len(mask.seen[0]))
    yield Line(f"{'yours':{width}}   right", "dim", 7)
    for seen, right in zip(mask.seen, mask.right, strict=True):
        mine = "".join(SEEN[pair] for pair in zip(seen, right, strict=True))
        text = "".join(SEEN[cell, cell] for cell in right)
        yield Line(f"{mine:{width}}   {text}", None, 7)
    kinds = {
        pair for rows in zip(mask.seen, mask.right, strict=True) for pair in zip(*rows, strict=True)
    }
    legend = [f"{SEEN[pair]} {meaning}" for pair, meaning in SEEN_WORDS.items() if pair in kinds]
    yield Line("; ".join(legend), "dim", 7)


SEEN = {(True, True): "x", (False, False): ".", (True, False): "+", (False, True): "-"}
"""Letters for a key: seen by the submission, and rightly seen."""
SEEN_WORDS = {
    (True, True): "seen",
    (False, False): "hidden",
    (True, False): "seen, and should be hidden",
    (False, True): "hidden, and should be seen",
}


def _map(errors: ErrorMap) -> Iterator[Line]:
    """Where values are wrong."""
    rows, columns = errors.axes
    yield Line(
        f"Where {errors.output} is wrong (rows are {rows}, columns {columns}; "
        f"{_sizes(errors.params)}):",
        None,
        5,
    )
    for row in errors.wrong:
        yield Line("".join("#" if cell else "." for cell in row), None, 7)


def _sizes(params: Params) -> str:
    return ", ".join(f"{name}={value}" for name, value in params.items())


def _slip(slip: Slip) -> Iterator[Line]:
    """The line, without the edit, which gives the answer away."""
    also = "".join(f", or in line {line}," for line in slip.also)
    text = f"line {slip.line}: one small change there{also} makes {slip.cases} pass"
    yield Line(text, "yellow", 5)
    yield Line(slip.text, None, 7)


def slip_hint(slip: Slip | None) -> str:
    """The edit that mends a slip, for one who asks for it."""
    if slip is None:
        return "Your last grading found no line in which one small change makes its cases pass."
    return f"Line {slip.line}: {slip.edit}\nWith this change {slip.cases} pass."


def _raised(raised: Raised | None) -> Iterator[Line]:
    if raised is None:
        return
    for frame in raised.frames:
        place = f"line {frame.line}" + (f", in {frame.function}" if frame.function else "")
        yield Line(f"{place}: {frame.text}", None, 7)
    yield Line(f"{raised.kind}: {raised.message}", "red", 7)
    if raised.kind == "PermissionError":
        yield Line(CONFINED, "dim", 7)
    for words, advice in ADVICE.items():
        if words in raised.message:
            yield Line(advice, "dim", 7)
            break


def _reading(reading: Reading) -> Iterator[Line]:
    mark, style = _MARKS[reading.status]
    measured = reading.formula or reading.growth or "not measured"
    yield Line(f"{mark.strip():4} {reading.meter.title} = {measured}", style, 5)
    if reading.status == "fail" or reading.message:
        yield Line(reading.message, None, 10)
    if reading.difference:
        yield Line(reading.difference, None if reading.status == "fail" else "dim", 10)
    if reading.required and reading.meter.kind is not MeterKind.ELEMENTWISE:
        largest = ""
        if reading.largest is not None and reading.solution is not None:
            largest = f"; at the largest size {reading.largest:,}, solution {reading.solution:,}"
        yield Line(f"allowed: {reading.required}{largest}", "dim", 10)


def to_json(verdict: Verdict) -> str:
    """The JSON object that ``--json`` prints."""
    return json_text(json.loads(verdict.json()))
