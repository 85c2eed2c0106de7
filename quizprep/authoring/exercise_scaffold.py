"""The files that a new exercise begins as: a small exercise that works, to be written over.

Every place that an author has to change is marked; the content check refuses an exercise while
a mark is left. As it stands the task is to double each row's distance from its mean: small, and
yet with a reference, two mistakes that compose, and a cost.
"""

from __future__ import annotations

from quizprep.authoring.placeholders import MARK

RUNTIMES = ("torch", "numpy")

_FRAMEWORKS = {
    "torch": {
        "runtime": "torch",
        "import": "from torch import Tensor",
        "array": "Tensor",
        "mean": "x.mean(-1, keepdim=True)",
        "wrong_mean": "x.mean(0, keepdim=True)",
        "make": "import torch",
        "example": "torch.tensor([[1.0, 3.0], [4.0, 4.0]])",
        "result": "tensor([[-2.,  2.],\n        [ 0.,  0.]])",
    },
    "numpy": {
        "runtime": "numpy",
        "import": "import numpy as np",
        "array": "np.ndarray",
        "mean": "x.mean(axis=-1, keepdims=True)",
        "wrong_mean": "x.mean(axis=0, keepdims=True)",
        "make": "import numpy as np",
        "example": "np.array([[1.0, 3.0], [4.0, 4.0]])",
        "result": "array([[-2.,  2.],\n       [ 0.,  0.]])",
    },
}

_EXERCISE = """\
format: 1
title: "{mark}: the title"
level: junior  # junior, senior or staff
minutes: 15
runtime: {runtime}
entry: {id}
concepts: [todo-author]  # {mark}: ids of concepts.yaml, the one it is about first
# after: [softmax]  # exercises that come before it
returns:  # outputs by name, each with its axes by name
  y: [rows, cols]
cases:  # {mark}: from what the correctness cases are drawn
  sizes:
    rows: [1, 2, 3, 5, 16]
    cols: [1, 2, 3, 7, 33]
  dtypes: [float32]
contract:  # {mark}: what it may cost, measured at multiples of the tile
  sizes:
    rows: [64, 128, 192, 256]
    cols: [64, 128, 192, 256]
  points: 9
  flops: {{growth: rows*cols, budget: 1.5}}
  peak_bytes: {{growth: rows*cols, budget: 3}}
hints:  # three, each giving away more
  - "{mark}: a question that leads there"
  - "{mark}: the step that most people miss"
  - "{mark}: almost the answer"
sources: [todo-author]  # {mark}: ids of sources.yaml
"""

_README = """\
# {mark}: the title

{mark}: what it is and why an interviewer asks for it, in two sentences.

## Task

```text
{id}(x) -> y

x  (rows, cols)    {mark}: what it is
y  (rows, cols)    {mark}: what it is
```

{mark}: the rules that every solution has to keep.

## Example

{mark}: explain the example, small enough to be followed by hand.

```python
>>> {make}
>>> from {id} import {id}
>>> {id}({example})
{result}
```

## What an interviewer asks about it

- {mark}: a question that follows from a good solution
"""

_STARTER = '''\
"""{mark}: the title. The task: quizprep show {id}. Then: quizprep grade {id}."""

{import}


def {id}(x: {array}) -> {array}:
    """{mark}: what it returns.

    x        (rows, cols), floating
    returns  (rows, cols), in the dtype of x
    """
    # TODO: {mark}: the first step, in a few words.
    raise NotImplementedError("{id} is not written yet")
'''

_REFERENCE = '''\
"""{mark}: the definition, as plainly as it can be written."""

from __future__ import annotations

{imports}


def make_inputs(rng: np.random.Generator, rows: int = 4, cols: int = 4) -> dict[str, np.ndarray]:
    """x: (rows, cols)."""
    # {mark}: the inputs of a case, in the order of the arguments
    return {{"x": rng.standard_normal((rows, cols))}}


def solve(x: {array}) -> {array}:
    """y: (rows, cols), in the dtype of x."""
    # {mark}: the trusted answer; it runs in float64
    return 2 * (x - {mean})
'''

_MISTAKES = '''\
"""{mark}: the same with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

{import}

from quizprep.exercise import Mistake

MISTAKES = {{
    # {mark}: what people really get wrong, each with the sentence they read
    "mean_of_columns": Mistake(
        "You subtract the mean of each column. Every row has to be centred on its own.",
        concept="todo-author",  # {mark}: an id of concepts.yaml
    ),
    "not_doubled": Mistake(
        "You return the distance itself, not its double.",
        concept="todo-author",  # {mark}: an id of concepts.yaml
    ),
}}


def solve(x: {array}, mistakes: frozenset[str] = frozenset()) -> {array}:
    """y: (rows, cols)."""
    # {mark}: one faulty model in which the mistakes compose
    mean = {wrong_mean} if "mean_of_columns" in mistakes else {mean}
    distance = x - mean
    return distance if "not_doubled" in mistakes else 2 * distance
'''

_SOLUTION = '''\
"""{mark}: what a good answer does, in a sentence."""

{import}


def {id}(x: {array}) -> {array}:
    """{mark}: what it returns.

    x        (rows, cols), floating
    returns  (rows, cols), in the dtype of x

    Cost: {mark}: flops and working memory as formulas, and why.
    """
    # {mark}: the good answer, each step with its reason
    return 2 * (x - {mean})
'''


def new_exercise(id: str, runtime: str) -> dict[str, str]:
    """The texts of a new exercise by path, below the folder that holds exercises."""
    values = {**_FRAMEWORKS[runtime], "id": id, "mark": MARK}
    values["imports"] = "\n".join(dict.fromkeys(["import numpy as np", values["import"]]))
    folder = f"exercises/{id}"
    files = {
        f"{folder}/exercise.yaml": _EXERCISE,
        f"{folder}/README.md": _README,
        f"{folder}/starter.py": _STARTER,
        f"{folder}/reference.py": _REFERENCE,
        f"{folder}/mistakes.py": _MISTAKES,
        f"solutions/{id}.py": _SOLUTION,
    }
    return {path: text.format_map(values) for path, text in files.items()}
