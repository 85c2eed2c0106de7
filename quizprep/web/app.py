"""The pages. Each is a form or a link away from the next, and works without scripts."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from quizprep.content.library import Exercise, Library, path_order
from quizprep.errors import QuizprepError, UsageError
from quizprep.grading.attempts import achieved, solution_is_open
from quizprep.grading.loop import topics_behind
from quizprep.grading.verdict import LineCost, Verdict
from quizprep.practice import Data, Practice
from quizprep.quiz.interview import unfinished
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.html import render_html
from quizprep.store import Store
from quizprep.web.explore import costs, kv_cache
from quizprep.web.gradings import Drafts, Grading, Gradings
from quizprep.web.guard import TooLarge
from quizprep.web.mock import MockPages
from quizprep.web.rendering import (
    EDITOR,
    FOLDER,
    difference,
    editor_page,
    markdown_html,
    page,
    seen,
    stream,
    text_html,
    typed_source,
)

REMEMBERED = 200
"""Questions whose pages can be opened again."""

SCRIPT = FOLDER / "static" / "pages.js"

SHEET_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""A sheet is a file of its own, with its style inside and no script."""


class Site:
    """The pages over one library; one user's."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._practice = Practice(library, text_html)
        self._gradings = Gradings(library)
        self._drafts = Drafts()
        self._asked: OrderedDict[str, Data] = OrderedDict()
        self._marked: dict[str, Data] = {}
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        """Every address of the site."""
        get, post = ["GET"], ["POST"]
        return [
            Route("/", self.today, methods=get),
            Route("/ask", self.topics, methods=get),
            Route("/ask", self.ask, methods=post),
            Route("/ask/{token}", self.question, methods=get),
            Route("/ask/{token}", self.answer, methods=post),
            Route("/ask/{token}/hint", self.question_hint, methods=post),
            Route("/ask/{token}/reading", self.reading, methods=post),
            Route("/ask/{token}/correct", self.correct, methods=post),
            Route("/ask/{token}/back", self.take_back, methods=post),
            Route("/exercises", self.exercises, methods=get),
            Route("/exercises/{exercise}", self.exercise, methods=get),
            Route("/exercises/{exercise}", self.grade, methods=post),
            Route("/exercises/{exercise}/draft", self.draft, methods=post),
            Route("/exercises/{exercise}/hint", self.hint, methods=post),
            Route("/exercises/{exercise}/starter", self.starter, methods=post),
            Route("/exercises/{exercise}/file", self.grade_file, methods=post),
            Route("/gradings/{number:int}", self.verdict, methods=get),
            Route("/gradings/{number:int}/events", self.events, methods=get),
            Route("/gradings/{number:int}/changes", self.changes, methods=get),
            Route("/gradings/{number:int}/cancel", self.cancel, methods=post),
            Route("/progress", self.progress, methods=get),
            Route("/explore", self.explore, methods=get),
            Route("/explore/{exercise}", self.explore, methods=get),
            Route("/sheets/{topic}", self.sheet, methods=get),
            Route("/static/editor.js", self.editor, methods=get),
            Route("/static/pages.js", self.script, methods=get),
            *MockPages(self._library, self._gradings).routes(),
        ]

    # --- today and progress ---

    def today(self, request: Request) -> Response:
        with Store.open() as store:
            tried = {each.exercise for each in achieved(store.attempts())}
            mock = unfinished(store)
        found = self._practice.progress()
        return page(
            request, "today", next=self._practice.next_step(), progress=found, begun=bool(tried),
            mock=mock, new=sum(each["questions"] - each["asked"] for each in found["recall"]),
        )  # fmt: skip

    def progress(self, request: Request) -> Response:
        found = self._practice.progress()
        titles = {exercise.id: exercise.spec.title for exercise in self._library.exercises}
        topics = {topic: bank.title for topic, bank in self._library.banks.items()}
        return page(request, "progress", progress=found, titles=titles, topics=topics)

    def sheet(self, request: Request) -> Response:
        topic = self._library.find_topic(request.path_params["topic"])
        made = render_html(build(self._library, Wanted(topics=(topic,))))
        return HTMLResponse(made, headers={"content-security-policy": SHEET_POLICY})

    def explore(self, request: Request) -> Response:
        """Costs and sizes with numbers of one's own."""
        given, listed = dict(request.query_params), path_order(self._library.exercises)
        if "exercise" not in request.path_params:
            title, found = "The size of a KV cache", kv_cache(given)
        else:
            exercise = self._exercise(request)
            title, found = f"{exercise.spec.title}: what it costs", costs(exercise, given)
        return page(request, "explore", title=title, found=found, exercises=listed)

    # --- questions ---

    def topics(self, request: Request) -> Response:
        return page(request, "topics", content=self._practice.list_content())

    async def ask(self, request: Request) -> Response:
        form = await request.form()
        topic, again = str(form.get("topic", "")), bool(form.get("again"))
        with self._lock:
            token = secrets.token_urlsafe(9)
            asked = self._practice.ask_as(token, topic, again)
            if asked["question"] is None:
                return page(request, "nothing", topic=topic)
            self._asked[token] = {**asked, "hints": [], "of": topic, "typed": ""}
            while len(self._asked) > REMEMBERED:
                self._marked.pop(self._asked.popitem(last=False)[0], None)
        return seen(f"/ask/{token}")

    def question(self, request: Request) -> Response:
        token, asked = self._token(request)
        if token in self._marked:
            return page(request, "answer", token=token, asked=asked, marked=self._marked[token])
        typed = asked["typed"]
        return page(request, "question", token=token, asked=asked, problem="", reply=typed)

    async def answer(self, request: Request) -> Response:
        """Mark and store a reply. A second one to the same question changes nothing: the page was
        sent twice, or opened again."""
        token, asked = self._token(request)
        form = await request.form()
        reply = " ".join(str(part) for part in form.getlist("reply")).strip()
        with self._lock:
            if token not in self._marked:
                marked = self._practice.mark(token, reply)
                if not marked["marked"]:
                    problem = marked["expected"]
                    return page(
                        request, "question", token=token, asked=asked, problem=problem, reply=reply
                    )
                self._marked[token] = {**marked, "reply": reply}
        return seen(f"/ask/{token}")

    async def reading(self, request: Request) -> Response:
        """What a reply that is being typed is read as."""
        token, _ = self._token(request)
        form = await request.form()
        if token in self._marked:
            return PlainTextResponse("")
        return PlainTextResponse(self._practice.understood(token, str(form.get("reply", ""))))

    async def question_hint(self, request: Request) -> Response:
        token, asked = self._token(request)
        form = await request.form()
        with self._lock:
            if token not in self._marked:
                asked["typed"] = str(form.get("reply", ""))
                hint = self._practice.question_hint(token)["hint"]
                asked["hints"] = [*asked["hints"], *([hint] if hint else [])]
                asked["exhausted"] = hint is None
        return seen(f"/ask/{token}")

    async def correct(self, request: Request) -> Response:
        token, _ = self._token(request)
        form = await request.form()
        letters = " ".join(str(part) for part in form.getlist("flip"))
        with self._lock:
            if letters and token in self._marked:
                better = self._practice.correct_mark(token, letters)
                self._marked[token] |= better
        return seen(f"/ask/{token}")

    async def take_back(self, request: Request) -> Response:
        token, _ = self._token(request)
        with self._lock:
            if self._marked.pop(token, None) is not None:
                self._practice.take_back(token)
        return seen(f"/ask/{token}")

    def _token(self, request: Request) -> tuple[str, Data]:
        token = request.path_params["token"]
        asked = self._asked.get(token)
        if asked is None:
            raise UsageError(
                "That question was asked before this program was started, or long ago.",
                hint="What you answered is stored. Ask for the next one.",
            )
        return token, asked

    # --- exercises ---

    def exercises(self, request: Request) -> Response:
        with Store.open() as store:
            tried = {each.exercise: each for each in achieved(store.attempts())}
        listed = path_order(self._library.exercises)
        return page(request, "exercises", exercises=listed, tried=tried)

    def exercise(self, request: Request) -> Response:
        found = self._exercise(request)
        self._gradings.warm_up(found)
        grading = self._gradings.find(_number(request.query_params.get("of", "")))
        if grading is not None and grading.exercise.id != found.id:
            grading = None
        verdict = grading.verdict if grading else None
        file = grading.file if grading else None
        with Store.open() as store:
            shown = store.hints_shown(found.id)
            solved = solution_is_open(store, found.id)
        return editor_page(
            request, "exercise", exercise=found, task=markdown_html(found.text("README.md")),
            source=self._drafts.read(found), hints=found.spec.hints[:shown], solved=solved,
            marks=[{"line": n, "text": text} for n, text in marks(verdict).items()],
            file=file,
        )  # fmt: skip

    async def draft(self, request: Request) -> Response:
        found = self._exercise(request)
        self._drafts.write(found, (await request.body()).decode("utf-8", "replace"))
        return Response(status_code=204)

    async def grade(self, request: Request) -> Response:
        found = self._exercise(request)
        form = await request.form(max_part_size=1 << 20)
        if "source" not in form:
            raise UsageError("There is no source to grade.")
        source = typed_source(form["source"])
        self._drafts.write(found, source)
        return seen(f"/gradings/{self._gradings.start(found, source).number}")

    async def grade_file(self, request: Request) -> Response:
        """Grade a file on the learner's disk, which the verdict's page then follows."""
        found = self._exercise(request)
        form = await request.form()
        typed = str(form.get("path", "")).strip()
        path = Path(typed).expanduser() if typed else Path()
        if not path.is_absolute() or path.suffix != ".py":
            raise UsageError(
                "Name a Python file by its whole path.", hint="Such as /home/you/attention.py."
            )
        return seen(f"/gradings/{self._gradings.start_file(found, path).number}")

    async def hint(self, request: Request) -> Response:
        found = self._exercise(request)
        form = await request.form(max_part_size=1 << 20)
        if "source" in form:  # what was typed so far
            self._drafts.write(found, typed_source(form["source"]))
        self._practice.next_hint(found.id)
        return seen(f"/exercises/{found.id}#hints")

    async def starter(self, request: Request) -> Response:
        found = self._exercise(request)
        self._drafts.start_again(found)
        return seen(f"/exercises/{found.id}")

    def verdict(self, request: Request) -> Response:
        grading = self._grading(request)
        if grading.cancelled:
            return page(request, "cancelled", grading=grading)
        if grading.work is not None and grading.work.done():
            grading.work.result()  # a fault of ours is told as one
        verdict = grading.verdict
        if verdict is None:
            return page(request, "running", grading=grading, says=self._gradings.says(grading))
        solution: list[tuple[str, str]] = []
        if verdict.passed:
            text = grading.exercise.solution.read_text(encoding="utf-8")
            solution = [*difference(grading.source, text)]
        return page(
            request, "verdict", grading=grading, verdict=verdict, marks=marks(verdict),
            by_line=prices(verdict),
            lines=grading.source.splitlines(), solution=solution, topics=topics_behind(verdict),
            next=self._practice.next_step(),
        )  # fmt: skip

    async def events(self, request: Request) -> Response:
        return stream(self._gradings.events(self._grading(request)))

    async def changes(self, request: Request) -> Response:
        return stream(self._gradings.changes(self._grading(request)))

    def cancel(self, request: Request) -> Response:
        grading = self._grading(request)
        self._gradings.cancel(grading)
        return seen(grading.back)

    def _grading(self, request: Request) -> Grading:
        grading = self._gradings.find(request.path_params["number"])
        if grading is None:
            raise UsageError("That grading is no longer remembered.", hint="Grade again.")
        return grading

    def _exercise(self, request: Request) -> Exercise:
        return self._library.exercise(request.path_params["exercise"])

    def editor(self, request: Request) -> Response:
        """The editor, if it was built."""
        if not EDITOR.is_file():
            return PlainTextResponse("The editor was not built.", 404)
        return Response(EDITOR.read_bytes(), media_type="text/javascript")

    def script(self, request: Request) -> Response:
        """What pages can do besides: they work without it."""
        return Response(SCRIPT.read_bytes(), media_type="text/javascript")

    def hush(self) -> None:
        """End the streams that pages listen to."""
        self._gradings.hush()

    def close(self) -> None:
        self._gradings.close()
        self._practice.close()


def prices(verdict: Verdict) -> dict[int, list[LineCost]]:
    """What each line of the submission costs, in each phase of a script."""
    found: dict[int, list[LineCost]] = {}
    for cost in verdict.stage("cost").lines:
        found.setdefault(cost.line, []).append(cost)
    return found


def marks(verdict: Verdict | None) -> dict[int, str]:
    """What is to be told beside lines of the submission: where it raises, and where a slip is."""
    found: dict[int, str] = {}
    for stage in verdict.stages if verdict is not None else ():
        if stage.raised is not None and stage.raised.frames:
            last = stage.raised.frames[-1]
            found.setdefault(last.line, f"{stage.raised.kind}: {stage.raised.message}")
        for cause in stage.causes:
            if cause.line:
                found.setdefault(cause.line, cause.shown.message)
        if stage.slip is not None:
            found.setdefault(
                stage.slip.line, f"One small change here makes {stage.slip.cases} pass."
            )
    return found


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, QuizprepError)
    return page(request, "error", 400, message=error.message, hint=error.hint or "")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return page(request, "error", error.status_code, message=error.detail, hint="")


def _large(_: Request, error: Exception) -> Response:
    return PlainTextResponse("That is too large.", 413)


def application(library: Library, started: Callable[[], None] = lambda: None) -> Starlette:
    """The application without its guard; its ``state.hush`` is called before it is ended."""
    site = Site(replace(library, fixed=True))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        started()
        yield
        site.close()

    made = Starlette(
        routes=site.routes(),
        lifespan=lifespan,
        exception_handlers={QuizprepError: _told, HTTPException: _http, TooLarge: _large},
    )
    made.state.hush = site.hush
    return made


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
