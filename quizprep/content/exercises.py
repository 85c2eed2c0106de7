"""The type of `exercises/<id>/exercise.yaml`: data only, from which the grader does the rest."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

from msgspec import Meta, field

from quizprep.content.questions import Content, Id, Level, Text
from quizprep.meter import LIMITED, Meter, MeterKind

Symbol = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=30)]
PythonName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Size = Annotated[int, Meta(ge=0, le=1 << 20)]
Sizes = Annotated[tuple[Size, ...], Meta(min_length=1)]
OptionValue = bool | int | float | str | None
OptionValues = Annotated[tuple[OptionValue, ...], Meta(min_length=1)]
DType = Literal["float32", "float16", "bfloat16", "float64"]
Layout = Literal["contiguous", "permuted", "strided", "pitched", "mixed"]


class Runtime(enum.StrEnum):
    """What a submission is written in."""

    NUMPY = "numpy"
    TORCH = "torch"
    TRITON = "triton"


class CaseSpec(Content, frozen=True, kw_only=True):
    """What the correctness cases are drawn from.

    sizes       values of each size symbol; a size that `listed` does not name is also drawn
                between the smallest and the largest of them
    options     values of other arguments of ``make_inputs`` (flags, kinds of input)
    where       relations such as ``n <= m`` that every drawn case satisfies
    dtypes      working dtypes of the floating inputs
    layouts     memory layouts of the inputs
    magnitudes  factors on every floating input; a large one shows an unstable softmax
    guards      inputs lie between red zones of NaN, so that an out-of-bounds read shows
    extra       single cases beyond the drawn ones, each with some of the sizes and options, and a
                dtype, layout or magnitude; what it does not name has the first value listed above
    says        for each option that is no argument of the exercise, what it does to the inputs, in
                a sentence for the learner
    overwrites  in a script of calls: after each call the tensors that it was given are overwritten,
                so an object has to copy what it keeps
    """

    sizes: dict[Symbol, Sizes]
    options: dict[Symbol, OptionValues] = field(default_factory=dict)
    listed: tuple[Symbol, ...] = ()
    where: tuple[Text, ...] = ()
    dtypes: Annotated[tuple[DType, ...], Meta(min_length=1)] = ("float32",)
    layouts: Annotated[tuple[Layout, ...], Meta(min_length=1)] = (
        "contiguous",
        "permuted",
        "strided",
    )
    magnitudes: Annotated[tuple[Annotated[float, Meta(gt=0)], ...], Meta(min_length=1)] = (1.0,)
    gradients: tuple[Symbol, ...] = ()
    guards: bool = False
    extra: tuple[dict[Symbol, OptionValue], ...] = ()
    says: dict[Symbol, Text] = field(default_factory=dict)
    overwrites: bool = False
    fixed: Annotated[int, Meta(ge=1, le=200)] = 30
    fresh: Annotated[int, Meta(ge=0, le=200)] = 10


class Limit(Content, frozen=True, kw_only=True):
    """What one meter may read.

    growth  a formula that bounds the reading in big-O
    exact   a formula the reading must equal at every size (instead of growth)
    budget  at the largest size, at most this many times the solution's own reading
    """

    growth: Text | None = None
    exact: Text | None = None
    budget: Annotated[float, Meta(ge=1)] | None = None


class Limits(Content, frozen=True, kw_only=True):
    """The limits of the meters, each of which may have one."""

    flops: Limit | None = None
    peak_bytes: Limit | None = None
    held_bytes: Limit | None = None
    moved_bytes: Limit | None = None
    calls: Limit | None = None


class Comparison(Content, frozen=True, kw_only=True):
    """The reading at one point is at most a fraction of the reading at another."""

    meter: MeterKind
    at: dict[Symbol, OptionValue]
    against: dict[Symbol, OptionValue]
    at_most: Annotated[float, Meta(gt=0)]
    says: Text


class Contract(Limits, frozen=True, kw_only=True):
    """The cost a submission may have, measured over a grid of sizes.

    sizes    values of each size symbol for the fit; multiples of the tile
    options  the other arguments, fixed
    where    relations such as ``window <= n`` under which growth is compared
    tiles    symbols of ``sizes`` that cut others into tiles, each with the lengths it cuts:
             ``{block: [n, m]}``; a tile may divide its lengths in a formula
    points_where  relations that only choose the measured points: ``n <= 4*block`` keeps them few
             tiles long, and growth is still compared as if n had no bound
    points   how many points of the grid are measured
    witness  the sizes at which the process is observed from outside; large
    phases   the limits of parts of a script of calls, such as ``append`` of a cache: everything
             that ``cost`` in reference.py does inside ``api.meter("append")``
    compare  readings that must be smaller than others
    spilled  bytes of each thread that the machine code of a kernel may spill, in the launches of
             ``gpu``
    """

    sizes: dict[Symbol, Sizes]
    options: dict[Symbol, OptionValue] = field(default_factory=dict)
    where: tuple[Text, ...] = ()
    tiles: dict[Symbol, tuple[Symbol, ...]] = field(default_factory=dict)
    points_where: tuple[Text, ...] = ()
    points: Annotated[int, Meta(ge=4, le=100)] = 24
    witness: dict[Symbol, Size] = field(default_factory=dict)
    phases: dict[Symbol, Limits] = field(default_factory=dict)
    compare: tuple[Comparison, ...] = ()
    spilled: Annotated[int, Meta(ge=0)] | None = None

    def limits(self) -> dict[Meter, Limit]:
        """The meters that have a limit, in the order of the report."""
        parts: dict[str, Limits] = {"": self, **self.phases}
        return {
            Meter(kind, phase): limit
            for phase, part in parts.items()
            for kind in LIMITED
            if (limit := getattr(part, kind)) is not None
        }


class Picture(Content, frozen=True, kw_only=True):
    """A mask that a sheet shows: which keys the queries see, found by running the reference.

    title     a few words
    says      one or two sentences, with formulas between dollars: the rule, what to notice
    concepts  sheets on these show the picture
    sizes     arguments of ``make_inputs``; the keys and values are its ``k`` and ``v``
    seed      of the inputs that are drawn, such as the lengths of padded sequences
    """

    title: Text
    says: Text
    concepts: Annotated[tuple[Id, ...], Meta(min_length=1)]
    sizes: dict[Symbol, OptionValue]
    seed: Annotated[int, Meta(ge=0, lt=1 << 31)] = 0


class ExerciseSpec(Content, frozen=True, kw_only=True):
    """The content of an exercise.yaml."""

    format: Literal[1]
    title: Text
    level: Level
    minutes: Annotated[int, Meta(ge=1, le=240)]
    runtime: Runtime
    entry: PythonName
    also: tuple[PythonName, ...] = ()
    """Further functions or classes that the file defines beside the entry."""
    concepts: Annotated[tuple[Id, ...], Meta(min_length=1)]
    returns: dict[Symbol, tuple[Symbol, ...]]
    """Outputs by name, each with its axes by name: ``{o: [b, h, n, d]}``."""
    cases: CaseSpec
    contract: Contract
    hints: Annotated[tuple[Text, ...], Meta(min_length=3, max_length=3)]
    sources: Annotated[tuple[Id, ...], Meta(min_length=1)]
    after: tuple[Id, ...] = ()
    pictures: tuple[Picture, ...] = ()
    gpu: tuple[dict[Symbol, OptionValue], ...] = ()
    """Of kernels: the arguments of ``make_inputs``, and the dtype, for which ``--compile`` makes
    machine code, as one would launch them on a GPU. What is left out is as in `CaseSpec.extra`."""

    @property
    def entries(self) -> tuple[str, ...]:
        """All that the file must define, the entry first."""
        return (self.entry, *self.also)
