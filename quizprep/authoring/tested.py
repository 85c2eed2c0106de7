"""The section of an exercise's README that says what is tested, written out of exercise.yaml.

It names every dtype, layout, magnitude, range of sizes and special input, so that a learner knows
of every condition before the grader does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from quizprep.content.exercises import ExerciseSpec, Runtime
from quizprep.content.library import Exercise
from quizprep.content.loading import shown_path
from quizprep.errors import Problem

HEADING = "## What is tested"
_SECTION = re.compile(rf"^{HEADING}\n.*?(?=^## |\Z)", re.M | re.S)
_BEFORE = re.compile(r"^## What an interviewer asks", re.M)
_REMEDY = "run quizprep check --write, and look at what changed"
_WIDTH = 84

_LAYOUTS = {
    "contiguous": "row-major",
    "permuted": "axes in another order, as after a transpose",
    "strided": "gaps between elements, as in `x[..., ::2]`",
    "pitched": "slices of wider rows",
    "mixed": "another layout for each input",
}


def tested_section(spec: ExerciseSpec) -> str:
    """The section, from its heading to its last line."""
    lines = [HEADING, ""]
    for item in _items(spec):
        lines += _wrapped(item)
    return "\n".join(lines) + "\n"


def _items(spec: ExerciseSpec) -> Iterator[str]:
    cases = spec.cases
    added = [str(extra["dtype"]) for extra in cases.extra if "dtype" in extra]
    yield f"Dtypes: {_and([*cases.dtypes, *added])}."
    yield f"Memory layouts of the inputs: {'; '.join(_LAYOUTS[each] for each in cases.layouts)}."
    yield f"Sizes: {_and(_ranges(spec))}{_relations(spec)}. All combinations may occur."
    if cases.extra:
        listed = "; ".join(
            ", ".join(f"`{name}={value}`" for name, value in extra.items()) for extra in cases.extra
        )
        yield f"Larger and special cases, one each: {listed}."
    factors = [factor for factor in cases.magnitudes if factor != 1.0]
    if factors:
        yield f"Values are normally distributed, and in some cases {_or(_times(factors))}."
    yield from cases.says.values()
    if cases.gradients:
        yield f"Gradients of {_and([f'`{name}`' for name in cases.gradients])} are judged too."
    if cases.guards:
        yield "In most cases NaN lies around every input, so that a read outside shows."
    if cases.overwrites:
        yield (
            "Tensors that you are given are overwritten after each call, and two objects are in "
            "use at once: copy what you keep, into what belongs to the object."
        )
    if spec.runtime is Runtime.TRITON:
        yield (
            "As on a GPU, masked lanes of a `tl.load` without `other` may hold anything, and "
            "`tl.dot` rounds float32 to TF32 unless it is given another `input_precision`."
        )
    if spec.contract.spilled is not None:
        listed = "; ".join(
            ", ".join(f"`{name}={value}`" for name, value in each.items()) for each in spec.gpu
        )
        yield (
            f"With `--compile`, machine code for {listed} spills "
            + (f"at most {spec.contract.spilled} bytes." if spec.contract.spilled else "nothing.")
        )
    settings = "" if spec.runtime is Runtime.NUMPY else ", nor torch's default dtype and the like"
    yield (
        f"A call changes no input and no result of an earlier call{settings}, and does not depend "
        "on earlier calls with the same sizes."
    )


def _ranges(spec: ExerciseSpec) -> list[str]:
    """`n` 1 to 33, for every size that has more than one value; single cases aside."""
    found = []
    for name, values in spec.cases.sizes.items():
        least, most = min(values), max(values)
        if name in spec.cases.listed:
            found.append(f"`{name}` {_or([str(value) for value in values])}")
        else:
            found.append(f"`{name}` {least}" + (f" to {most}" if most > least else ""))
    return found


def _relations(spec: ExerciseSpec) -> str:
    where = [f"`{text}`" for text in spec.cases.where]
    return f", with {_and(where)}" if where else ""


def _times(factors: Sequence[float]) -> list[str]:
    return [f"{factor:g} times as large" for factor in factors]


def _and(words: Sequence[str]) -> str:
    return _joined(words, "and")


def _or(words: Sequence[str]) -> str:
    return _joined(words, "or")


def _joined(words: Sequence[str], word: str) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} {word} {last}" if most else last


def _wrapped(item: str) -> list[str]:
    """A list item in lines of a README's width; what stands between backticks stays whole."""
    words = re.findall(r"(?:`[^`]*`|[^\s`])+", item)
    lines, line = [], "-"
    for word in words:
        if len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = " "
        line += f" {word}"
    return [*lines, line]


def with_section(readme: str, section: str) -> str:
    """The README with this section: in the place of the old one, or before the questions of an
    interviewer, or at the end."""
    if _SECTION.search(readme):
        more = readme[_SECTION.search(readme).end() :]  # type: ignore[union-attr]
        return _SECTION.sub(lambda _: section + ("\n" if more else ""), readme)
    before = _BEFORE.search(readme)
    if before is None:
        return f"{readme.rstrip()}\n\n{section}"
    return f"{readme[: before.start()]}{section}\n{readme[before.start() :]}"


def write_tested(exercise: Exercise) -> None:
    """Write the section into the exercise's README."""
    path = exercise.folder / "README.md"
    path.write_text(
        with_section(exercise.text("README.md"), tested_section(exercise.spec)), encoding="utf-8"
    )


def tested_problems(exercise: Exercise) -> Iterator[Problem]:
    """A README that says something else, and special inputs that no sentence tells of."""
    readme = exercise.text("README.md")
    if with_section(readme, tested_section(exercise.spec)) != readme:
        path = shown_path(exercise.folder / "README.md")
        yield Problem(path, None, HEADING, f"differs from exercise.yaml; {_REMEDY}")


def untold_options(exercise: Exercise) -> Iterator[Problem]:
    """Options that are no argument of the exercise, and of which no sentence tells."""
    cases, starter = exercise.spec.cases, exercise.text("starter.py")
    for name, values in cases.options.items():
        told = name in cases.says or re.search(rf"\b{name}\b", starter)
        varies = len(set(values)) > 1 or any(name in extra for extra in cases.extra)
        if varies and not told:
            path = shown_path(exercise.folder / "exercise.yaml")
            text = f"says nothing of {name}; tell the learner what it does to the inputs"
            yield Problem(path, None, "cases.says", text)
