"""The result of grading; its fields are those that ``--json`` prints.

The judge builds it, and nothing rebuilds it: the parent stores and prints what the judge sent.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from quizprep import meter
from quizprep.meter import Meter

if TYPE_CHECKING:
    from quizprep.exercise import Mistake

Scalar = bool | int | float | str | None
Params = dict[str, Scalar]
Status = Literal["pass", "fail", "error", "skip"]
"""``error`` is a fault of ours, never of the learner."""

STAGES = ("load", "correctness", "diagnosis", "compile", "cost")
"""``compile`` is of exercises with GPU kernels only."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen part of a verdict; JSON omits fields that have their default."""


# The submission's own process reports an exception, so its texts are bounded when parsed.
_Name = Annotated[str, msgspec.Meta(max_length=200)]
_Text = Annotated[str, msgspec.Meta(max_length=4000)]


class Frame(_Part, frozen=True, kw_only=True, omit_defaults=False):
    """A line of the learner's own code in a traceback."""

    line: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
    function: _Text
    text: _Text


class Raised(_Part, frozen=True, kw_only=True, omit_defaults=False):
    """An exception of the submission, with the submission's own frames only."""

    kind: _Name
    message: _Text
    frames: Annotated[tuple[Frame, ...], msgspec.Meta(max_length=8)] = ()


class CaseResult(_Part, frozen=True, kw_only=True):
    """One correctness case, and what was wrong, in a sentence."""

    params: Params
    dtype: str
    layout: str
    status: Status
    magnitude: float = 1.0
    fresh: bool = False
    message: str = ""
    raised: Raised | None = None

    def described(self) -> str:
        """The case in words: sizes, dtype, and what is special about the inputs."""
        sizes = ", ".join(
            f"{name}={'default' if value is None else value}" for name, value in self.params.items()
        )
        extras = [self.dtype]
        if self.layout == "mixed":
            extras.append("each input with strides of its own")
        elif self.layout == "pitched":
            extras.append("slices of wider rows")
        elif self.layout != "contiguous":
            extras.append(f"{self.layout} in memory")
        if self.magnitude != 1:
            extras.append(f"inputs times {self.magnitude:g}")
        return f"{sizes} ({', '.join(extras)})"


class Symptom(enum.StrEnum):
    """How a case fails."""

    RAISED = "raised"
    ENDED = "ended"
    """The submission's process ended, by a crash or by its deadline."""
    REFUSED = "refused"
    """It used what an exercise does not allow."""
    RETURNED = "returned"
    """It returned something else than the tensors that it should."""
    SHAPE = "shape"
    VALUES = "values"
    NAN = "nan"
    """All wrong entries are NaN."""
    EMPTY_ROWS = "empty_rows"
    """All wrong entries are in rows whose right value is 0, or -inf: nothing is visible there."""
    DTYPE = "dtype"
    """Values are right, in another dtype."""
    ACCESS = "access"
    """A kernel read or wrote outside its tensors."""
    RACE = "race"
    """Several programs of a kernel access one address, and not all by atomics or by reading."""
    UNFILLED = "unfilled"
    """A kernel uses masked lanes of a load without ``other``, which are zeros here only."""
    TF32 = "tf32"
    """Right only if products of float32 tiles are not rounded to TF32, as a GPU does."""
    ORDER = "order"
    """Right only if the programs of a launch run in the order of the interpreter."""
    CALLER = "caller"
    """Something of the caller's was changed, or has to stay as it was."""
    STATE = "state"
    """A call is right, and a later one of the same sizes is not."""
    RANDOM = "random"
    """Two calls with the same inputs have different results."""


class Cause(_Part, frozen=True, kw_only=True):
    """Failing cases that fail alike.

    cases  how many they are
    when   the condition under which a case fails so, in words: "always", "exactly when b > 1"; ""
           if no simple one is known
    shown  the case that shows it best
    line   the line of the submission at which it raises; 0 if it does not
    """

    symptom: Symptom
    cases: int
    when: str
    shown: CaseResult
    line: int = 0


class NamedMistake(_Part, frozen=True, kw_only=True):
    """A mistake that the submission makes."""

    id: str
    says: str
    concept: str

    @staticmethod
    def of(name: str, mistake: Mistake) -> NamedMistake:
        """A mistake of an exercise, whose id is ``name``."""
        return NamedMistake(id=name, says=mistake.says, concept=mistake.concept)


Grid = tuple[tuple[bool, ...], ...]


class MaskSeen(_Part, frozen=True, kw_only=True):
    """Which keys the queries see in one head of a small case: rows are queries, columns are keys.

    seen, right  in the submission, and as it should be
    """

    params: Params
    sequence: int
    head: int
    seen: Grid
    right: Grid


class ErrorMap(_Part, frozen=True, kw_only=True):
    """Where an output of one case is wrong, along two of its axes, whatever the others."""

    params: Params
    output: str
    axes: tuple[str, str]
    wrong: Grid


class Reading(_Part, frozen=True, kw_only=True):
    """One meter: its formula, its growth, and the growth that the contract requires.

    largest and solution are the readings of the submission and of the solution at the largest size.
    ``difference`` says how the formula differs from the solution's.
    """

    meter: Meter
    status: Status
    formula: str = ""
    growth: str = ""
    required: str = ""
    message: str = ""
    largest: int | None = None
    solution: int | None = None
    solution_formula: str = ""
    difference: str = ""


class LineCost(_Part, frozen=True, kw_only=True):
    """What one line of the submission costs; line 0 stands for none of its lines.

    formulas  by meter, where there is an exact one: ``flops``, ``elementwise``, ``moved_bytes``
    largest   by meter, the reading at the largest size
    peak      whether the peak of working memory is reached here
    phase     of a script, or ""
    """

    line: int
    text: str
    phase: str = ""
    formulas: dict[str, str] = msgspec.field(default_factory=dict)
    largest: dict[str, int] = msgspec.field(default_factory=dict)
    peak: bool = False


class Alive(_Part, frozen=True, kw_only=True):
    """Bytes that are alive at the peak: the line that made them, and the variable they are for.

    formula  "" if there is no exact one
    largest  at the largest size
    phase    of a script, or ""
    """

    line: int
    name: str
    formula: str
    largest: int
    phase: str = ""


class CompiledKernel(_Part, frozen=True, kw_only=True):
    """What the machine code of a kernel takes of a GPU.

    launched      how it was launched, in words
    registers     of each thread
    spilled       bytes of each thread that did not fit into registers and are stored and loaded
    shared        bytes of shared memory of each program
    tensor_cores  whether it uses them
    occupancy     the share of a multiprocessor's warps that fit at once
    """

    name: str
    line: int
    launched: str
    target: str
    warps: int
    registers: int
    spilled: int
    shared: int
    tensor_cores: bool
    occupancy: float


class Witness(_Part, frozen=True, kw_only=True):
    """The resident growth of the process over one call, and what the meters account for; bytes."""

    status: Status
    resident: int = 0
    metered: int = 0
    message: str = ""


class Slip(_Part, frozen=True, kw_only=True):
    """A line of the submission in which one small edit makes failing cases pass.

    text   the line as it is
    cases  which cases then pass, in words: ``all 40 cases``
    edit   the edit, which gives the answer away: shown on request only
    also   other lines in one of which a small edit does as much
    """

    line: int
    text: str
    cases: str
    edit: str
    also: tuple[int, ...] = ()


class Departure(_Part, frozen=True, kw_only=True):
    """Where the values of variables depart from those that occur in a right answer: a hint, since
    right code may compute other values.

    upto  the last line up to which every value occurs there
    line  the first line whose values do not
    """

    upto: int
    line: int


class Stage(_Part, frozen=True, kw_only=True):
    """One stage; the optional fields depend on its name.

    where        of a diagnosis: the failure that says most, in words
    causes       of a diagnosis: the failing cases, by how they fail
    mask         of a diagnosis: the submission's mask where it is not the right one
    map          where values are wrong, if a sentence does not say it and the masks do not differ
    alternatives the sets of mistakes of which one is made, but the cases do not show which
    script       of a diagnosis, if it was asked for: a failing case as a program of its own
    lines        of a cost: what each line costs
    alive        of a cost: what is alive at the peak of working memory
    kernels      of a compilation, if figures were asked for
    notes        what does not fail, but should be known
    unexplained  outputs are wrong, and no known mistake of the exercise explains them
    """

    name: str
    status: Status
    message: str = ""
    raised: Raised | None = None
    cases: tuple[CaseResult, ...] = ()
    where: str = ""
    mistakes: tuple[NamedMistake, ...] = ()
    alternatives: tuple[tuple[NamedMistake, ...], ...] = ()
    causes: tuple[Cause, ...] = ()
    mask: MaskSeen | None = None
    map: ErrorMap | None = None
    unexplained: bool = False
    script: str = ""
    slip: Slip | None = None
    departure: Departure | None = None
    readings: tuple[Reading, ...] = ()
    witness: Witness | None = None
    lines: tuple[LineCost, ...] = ()
    alive: tuple[Alive, ...] = ()
    kernels: tuple[CompiledKernel, ...] = ()
    notes: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one grading.

    unconfined  the parts of the confinement that this system lacks
    printed     the beginning of the submission's output
    """

    format: Literal[1] = 1
    exercise: str
    passed: bool
    confined: bool
    seed: int
    stages: tuple[Stage, ...]
    unconfined: tuple[str, ...] = ()
    printed: str = ""

    @staticmethod
    def of(
        exercise: str,
        seed: int,
        stages: tuple[Stage, ...],
        unconfined: tuple[str, ...] = (),
        confined: bool = True,
    ) -> Verdict:
        """The verdict that these stages amount to; stages that were not reached are skipped."""
        reached = {stage.name: stage for stage in stages}
        needed = {"load", "correctness", "cost"} | reached.keys() - {"diagnosis"}
        if "compile" in reached and reached["compile"].status == "skip":
            needed -= {"compile"}  # nothing here could compile
        return Verdict(
            exercise=exercise,
            passed=all(name in reached and reached[name].status == "pass" for name in needed),
            confined=confined and not unconfined,
            unconfined=unconfined,
            seed=seed,
            stages=tuple(
                reached.get(name) or Stage(name=name, status="skip")
                for name in STAGES
                if name in reached or name != "compile"
            ),
        )

    def stage(self, name: str) -> Stage:
        """The stage of that name."""
        return next(stage for stage in self.stages if stage.name == name)

    def without_script(self) -> tuple[Verdict, str]:
        """The verdict without the failing case that it carries as a script, and that script."""
        script = self.stage("diagnosis").script
        stages = (msgspec.structs.replace(stage, script="") for stage in self.stages)
        return msgspec.structs.replace(self, stages=tuple(stages)), script

    @property
    def faulty(self) -> bool:
        """Whether grading failed by a fault of ours."""
        return any(stage.status == "error" for stage in self.stages)

    @property
    def mistakes(self) -> tuple[NamedMistake, ...]:
        """The mistakes that were named."""
        return self.stage("diagnosis").mistakes

    def json(self) -> bytes:
        """One JSON object with stable field names."""
        return msgspec.json.format(msgspec.json.encode(self, enc_hook=meter.to_text), indent=1)

    @staticmethod
    def parse(data: bytes | str) -> Verdict:
        """The verdict that ``json`` wrote; raises msgspec.ValidationError."""
        return msgspec.json.decode(data, type=Verdict, dec_hook=meter.from_text)
