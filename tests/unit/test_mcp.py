"""``quizprep mcp`` with the client of the official package, over standard input and output."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.cli.program import environment
from tests.cohort import RIGHT, WRONG
from tests.imports import ROOT, assert_not_imported

pytest.importorskip("mcp")

from mcp import ClientSession, StdioServerParameters, stdio_client

from quizprep.content.library import Library
from quizprep.mcp import NOTE
from quizprep.quiz.marking import model_answer
from quizprep.quiz.presented import present

Call = Callable[..., Awaitable[Any]]


def talk(tmp_path: Path, conversation: Callable[[ClientSession, Call], Awaitable[None]]) -> None:
    """Start the program as an assistant does, and hold a conversation with it."""

    async def run() -> None:
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "quizprep", "mcp"],
            env=environment(tmp_path / "home"),
            cwd=tmp_path,
        )
        async with (
            stdio_client(server) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()

            async def call(tool: str, **arguments: Any) -> Any:
                result = await session.call_tool(tool, arguments)
                if result.is_error:
                    return result.content[0].text
                assert result.structured_content["note"] == NOTE
                return result.structured_content["data"]

            await conversation(session, call)

    # In a thread of its own: a browser that another test drives keeps a loop in this one.
    with ThreadPoolExecutor(max_workers=1) as other:
        other.submit(anyio.run, run).result()


def test_the_package_is_loaded_by_the_command_only(tmp_path: Path) -> None:
    """The module itself does without the extra; only serving imports it."""
    assert_not_imported("quizprep.mcp", {"mcp", "pydantic", "torch"}, tmp_path)


def test_an_interview(tmp_path: Path) -> None:
    """An assistant finds its tools described, asks, marks, grades and sees the progress."""

    async def conversation(session: ClientSession, call: Call) -> None:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert set(tools) >= {"list_content", "show_exercise", "grade", "ask", "mark", "progress"}
        assert all(tool.description for tool in tools.values())
        assert tools["show_exercise"].input_schema["required"] == ["exercise"]
        listed = await call("list_content")
        assert {"softmax", "causal_mask"} <= {each["exercise"] for each in listed["exercises"]}
        shown = await call("show_exercise", exercise="softmax")
        assert "def softmax" in shown["starter"] and shown["task"]
        hints = [await call("next_hint", exercise="softmax") for _ in range(4)]
        assert [len(hint["hints"]) for hint in hints] == [1, 2, 3, 3]

        asked = await call("ask", topic="scaling")
        assert asked["topic"] == "scaling" and asked["ask"]
        unread = await call("mark", question=asked["question"], reply=" ")
        assert unread["marked"] is False and "answer" not in unread
        marked = await call("mark", question=asked["question"], reply="zzz 17 a")
        again = await call("mark", question=asked["question"], reply="a")
        if marked["marked"]:
            assert marked["answer"] and "was not asked" in again
        progress = await call("progress")
        assert {"recall", "exercises", "weak"} == set(progress)
        assert (await call("next_step"))["exercise"]

    talk(tmp_path, conversation)


def test_solutions_are_earned(tmp_path: Path) -> None:
    """No tool shows a solution, or the edit that mends one, before the learner has passed."""
    solution = (ROOT / "solutions" / "softmax.py").read_text()

    async def conversation(session: ClientSession, call: Call) -> None:
        assert "once the learner has passed" in await call("show_solution", exercise="softmax")
        wrong = await call("grade", exercise="softmax", source=WRONG)
        assert not wrong["passed"] and "softmax: not passed" in wrong["report"]
        assert "once the learner has passed" in await call("show_solution", exercise="softmax")
        file = tmp_path / "softmax.py"
        file.write_text(RIGHT)
        assert (await call("grade", exercise="softmax", file=str(file)))["passed"]
        assert (await call("show_solution", exercise="softmax"))["solution"] == solution
        for arguments, says in (
            ({"exercise": "softmaxx", "source": "x"}, "no exercise called"),
            ({"exercise": "softmax"}, "either source or file"),
            ({"exercise": "softmax", "file": "/etc/passwd"}, "no Python file"),
            ({"exercise": "softmax", "file": "none.py"}, "There is no file"),
        ):
            assert says in await call("grade", **arguments)
        progress = await call("progress")
        assert progress["exercises"] == [{"exercise": "softmax", "passed": True, "gradings": 2}]

    talk(tmp_path, conversation)


def test_a_question_never_carries_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shown of any question is what a terminal shows: no key point, no reason, no trap."""
    from quizprep.maths import plain
    from quizprep.practice import shown_question

    for topic, question in Library().questions.values():
        presented = present(topic, question, 3)
        shown = str(shown_question(presented, plain))
        assert presented.text(question.why) not in shown
        answer = model_answer(question, presented.values, presented.shown or None)
        assert presented.rows or len(answer) < 25 or answer not in shown
