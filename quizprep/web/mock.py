"""The mock interview as pages: the same steps in the same store as ``quizprep mock``.

What comes next is read from the store for every page, so an interview may be left in the terminal
and go on here, or the other way round. Time counts while a part is open: from the page that shows
it to its answer, or until that page is closed.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from importlib.util import find_spec

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from quizprep.content.library import Exercise, Library
from quizprep.content.questions import Level, Open
from quizprep.errors import StoreError, UsageError
from quizprep.files import replace_file
from quizprep.grading.verdict import Verdict
from quizprep.practice import Data, filled, heard_rows, shown_question
from quizprep.quiz import times
from quizprep.quiz.debriefing import Answered, answers, good_answer, summary
from quizprep.quiz.interview import (
    MINUTES,
    TITLES,
    Asked,
    Coded,
    Ended,
    Log,
    Part,
    Paused,
    answer,
    answered_before,
    begin,
    keep,
    kernel_file,
    kernel_task,
    latest,
    next_part,
    put,
    read_log,
    skipped,
    unfinished,
)
from quizprep.quiz.marking import (
    Invalid,
    Mark,
    mark,
    match_open,
    model_answer,
    understood,
)
from quizprep.quiz.marking.open_answer import corrected, mark_open
from quizprep.quiz.presented import Presented, read_labels
from quizprep.quiz.scheduling import agree
from quizprep.store import Interview, Store
from quizprep.web.gradings import Grading, Gradings
from quizprep.web.rendering import editor_page, markdown_html, page, seen, text_html, typed_source

SHORTEST, LONGEST = 5, 180
"""Minutes of an interview."""

PASSED_OVER = "you passed it over."


@dataclass(frozen=True)
class _Open:
    """The part that a page shows, since when, and the last page that showed it.

    at  the interview, and how many steps it had
    """

    at: tuple[int, int]
    since: float
    visit: str


class MockPages:
    """The pages of one user's interviews."""

    def __init__(self, library: Library, gradings: Gradings) -> None:
        self._library = library
        self._gradings = gradings
        self._lock = threading.RLock()
        self._open: _Open | None = None
        self._graded: tuple[int, Grading] | None = None
        """The interview, and the last grading of its kernel."""

    def routes(self) -> list[Route]:
        """Every address of an interview."""
        get, post = ["GET"], ["POST"]
        return [
            Route("/mock", self.now, methods=get),
            Route("/mock", self.begin, methods=post),
            Route("/mock/answer", self.answer, methods=post),
            Route("/mock/reading", self.reading, methods=post),
            Route("/mock/skip", self.skip, methods=post),
            Route("/mock/leave", self.leave, methods=post),
            Route("/mock/kernel", self.grade, methods=post),
            Route("/mock/draft", self.draft, methods=post),
            Route("/mock/debrief", self.debrief, methods=get),
            Route("/mock/correct", self.correct, methods=post),
        ]

    def now(self, request: Request) -> Response:
        """The part that comes next, or the way to begin."""
        with self._lock, Store.open() as store:
            log = unfinished(store)
            if log is None:
                return page(
                    request, "mock_begin", levels=list(Level), minutes=MINUTES,
                    last=latest(store), shortest=SHORTEST, longest=LONGEST,
                )  # fmt: skip
            part = self._next(store, log)
            if part is None:
                return seen("/mock/debrief")
            visit = self._opened(log)
            return self._shown(request, store, log, part, visit)

    async def begin(self, request: Request) -> Response:
        form = await request.form()
        minutes = str(form.get("minutes", MINUTES)).strip()
        if not (minutes.isdecimal() and len(minutes) < 5 and SHORTEST <= int(minutes) <= LONGEST):
            raise UsageError(f"An interview takes {SHORTEST} to {LONGEST} minutes.")
        level = str(form.get("level", ""))
        if level and level not in list(Level):
            raise UsageError(f"There is no level {level[:20]!r}.")
        with self._lock, Store.open() as store:
            if unfinished(store) is None or form.get("new"):
                begin(store, self._library, Level(level) if level else None, int(minutes))
        return seen("/mock")

    async def answer(self, request: Request) -> Response:
        """Mark and store a reply. If its question is no longer the one that is open, for example
        because the form was sent twice, nothing changes."""
        form = await request.form()
        reply = " ".join(str(part) for part in form.getlist("reply")).strip()
        with self._lock, Store.open() as store:
            found = self._asked_now(store, str(form.get("part", "")))
            if found is not None:
                log, part = found
                presented = put(log, self._library, part)
                result = answer(store, log, part, presented, reply, self._running(log) or None)
                if isinstance(result, Invalid):
                    visit = self._opened(log)
                    return self._shown(request, store, log, part, visit, reply, result.expected)
                self._keep(store, log, result)
        return seen("/mock")

    async def reading(self, request: Request) -> Response:
        """What a reply that is being typed is read as."""
        form = await request.form()
        pair = self._library.questions.get(str(form.get("part", "")))
        return PlainTextResponse(understood(pair[1], str(form.get("reply", ""))) if pair else "")

    async def skip(self, request: Request) -> Response:
        """Go on without an answer, or with the kernel as it was graded last."""
        form = await request.form()
        if "source" in form:
            self._write(str(form.get("part", "")), typed_source(form["source"]))
        with self._lock, Store.open() as store:
            found = self._asked_now(store, str(form.get("part", "")))
            if found is not None:
                log, part = found
                if part.role == "kernel":
                    self._keep(store, log, self._passed_over(log, part))
                else:
                    self._keep(store, log, skipped(part, put(log, self._library, part)))
        return seen("/mock")

    async def leave(self, request: Request) -> Response:
        """Stop the clock: the learner leaves, or the page that showed the part was closed."""
        form = await request.form()
        if "source" in form:
            self._write(str(form.get("part", "")), typed_source(form["source"]))
        with self._lock, Store.open() as store:
            log = unfinished(store)
            shown = self._open
            if log is not None and shown is not None and shown.visit == form.get("visit"):
                if self._running(log):
                    self._keep(store, log, Paused())
                self._open = None
        return seen("/")

    async def grade(self, request: Request) -> Response:
        """Grade the kernel; once it passes, the interview goes on."""
        form = await request.form(max_part_size=1 << 20)
        source = typed_source(form.get("source", ""))
        with self._lock, Store.open() as store:
            found = self._asked_now(store, str(form.get("part", "")))
            if found is None or found[1].role != "kernel":
                return seen("/mock")
            log, part = found
            exercise = self._library.exercise(part.id)
            self._write(part.id, source)

            def ended(verdict: Verdict) -> None:
                self._passed(log.interview, verdict)

            grading = self._gradings.start(exercise, source, back="/mock", ended=ended)
            self._graded = log.interview.id, grading
        return seen(f"/gradings/{grading.number}")

    async def draft(self, request: Request) -> Response:
        """Keep what was typed of the kernel."""
        part = request.query_params.get("part", "")
        self._write(part, (await request.body()).decode("utf-8", "replace"))
        return Response(status_code=204)

    def debrief(self, request: Request) -> Response:
        """What the latest interview came to; it is over once this was shown."""
        with self._lock, Store.open() as store:
            log = latest(store)
            if log is None or (not log.ended and self._next(store, log) is not None):
                return seen("/mock")
            if not log.ended:
                keep(store, log, Ended(), 0.0)
            gone_through = answers(self._library, store, log)
        told = [self._explained(each) for each in gone_through]
        well = [
            one.presented for one, data in zip(gone_through, told, strict=True) if data["right"]
        ]
        missed = [each.presented for each in gone_through if each.presented not in well]
        return page(
            request, "mock_debrief", log=log, answers=told, minutes=round(log.seconds / 60),
            summary=summary(self._library, log, well, missed),
        )  # fmt: skip

    async def correct(self, request: Request) -> Response:
        """Correct what was heard in a spoken answer of the latest interview."""
        form = await request.form()
        name = str(form.get("question", ""))
        letters = " ".join(str(part) for part in form.getlist("flip"))
        with self._lock, Store.open() as store:
            log = latest(store)
            for each in answers(self._library, store, log) if log is not None else ():
                question, review = each.presented.question, each.review
                if question.id != name or review is None or not isinstance(question, Open):
                    continue
                match = match_open(question, review.reply)
                count = len(match.covered) + len(match.missing) + len(match.wrong_claims)
                rows = read_labels(letters, count)
                if rows is not None:
                    better = mark_open(corrected(match, rows))
                    agree(store, review, each.presented, better, times.now())
        return seen("/mock/debrief")

    # --- what comes next ---

    def _next(self, store: Store, log: Log) -> Part | None:
        """What to ask, after the steps of answers that are stored without one."""
        left = log.left - self._running(log)
        while (part := next_part(log.steps, self._library.questions, left)) is not None:
            if part.role == "kernel":
                return part
            before = answered_before(store, log, part, put(log, self._library, part))
            if before is None:
                return part
            self._keep(store, log, before)
        return None

    def _asked_now(self, store: Store, name: str) -> tuple[Log, Part] | None:
        """The interview and its part of this name, if it is the one that comes next."""
        log = unfinished(store)
        if log is None:
            return None
        # An answer that was begun in time counts.
        part = next_part(log.steps, self._library.questions, log.left)
        return (log, part) if part is not None and part.id == name else None

    def _opened(self, log: Log) -> str:
        """The clock runs from the first page that shows a part; every page is a visit."""
        at = log.interview.id, len(log.steps)
        since = self._open.since if self._open and self._open.at == at else times.seconds()
        self._open = _Open(at, since, secrets.token_urlsafe(9))
        return self._open.visit

    def _running(self, log: Log) -> float:
        """The seconds since the open part was shown; 0 if none is open."""
        if self._open is None or self._open.at != (log.interview.id, len(log.steps)):
            return 0.0
        return times.seconds() - self._open.since

    def _keep(self, store: Store, log: Log, step: Asked | Coded | Paused) -> None:
        keep(store, log, step, self._running(log))
        self._open = None

    # --- the kernel ---

    def _passed(self, interview: Interview, verdict: Verdict) -> None:
        if not verdict.passed:
            return
        with self._lock, Store.open() as store:
            log = read_log(store, interview)
            if not log.ended and not any(isinstance(step, Coded) for step in log.steps):
                self._keep(store, log, Coded(verdict.exercise, True))

    def _passed_over(self, log: Log, part: Part) -> Coded:
        if why := _why_not(self._library.exercise(part.id)):
            return Coded(part.id, False, skipped=why)
        verdict = None
        if self._graded is not None and self._graded[0] == log.interview.id:
            verdict = self._graded[1].verdict
        if verdict is None:
            return Coded(part.id, False, skipped=PASSED_OVER)
        return Coded(part.id, verdict.passed, mistakes=tuple(m.says for m in verdict.mistakes))

    def _write(self, name: str, source: str) -> None:
        """Keep what was typed in the file that the terminal opens; raises StoreError."""
        with self._lock, Store.open() as store:
            found = self._asked_now(store, name)
            if found is None or found[1].role != "kernel":
                return
            path = kernel_file(store, self._library.exercise(name), found[0].interview)
        try:
            replace_file(path, source.encode("utf-8", "replace"))
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}.") from error

    # --- what is shown ---

    def _shown(
        self, request: Request, store: Store, log: Log, part: Part, visit: str, reply: str = "",
        problem: str = "",
    ) -> Response:  # fmt: skip
        spent = log.seconds + self._running(log)
        common: Data = {
            "part": part, "visit": visit, "title": TITLES[part.role], "spent": int(spent),
            "minutes": log.interview.minutes,
        }  # fmt: skip
        if part.role != "kernel":
            asked = question_data(put(log, self._library, part))
            return page(
                request, "mock_question", asked=asked, reply=reply, problem=problem, **common
            )
        exercise = self._library.exercise(part.id)
        why = _why_not(exercise)
        if why:
            return editor_page(
                request, "mock_kernel", exercise=exercise, why=why, source="", **common
            )
        self._gradings.warm_up(exercise)
        path = kernel_file(store, exercise, log.interview)
        return editor_page(
            request, "mock_kernel", exercise=exercise, task=markdown_html(kernel_task(exercise)),
            source=path.read_text(encoding="utf-8", errors="replace"), file=path, why="", **common,
        )  # fmt: skip

    def _explained(self, answered: Answered) -> Data:
        """One row of the debrief."""
        presented, review = answered.presented, answered.review
        question = presented.question
        data: Data = {
            "id": question.id, "role": TITLES[answered.role],
            "topic": self._library.bank(presented.topic).title,
            "asked": question_data(presented), "reply": review.reply if review else "",
            "right": False, "score": None, "says": [], "trap": None, "heard": [], "why": "",
        }  # fmt: skip
        if review is not None and review.reply:
            result = mark(question, presented.values, review.reply, presented.shown or None)
            given = result if isinstance(result, Mark) else Mark(0.0)
            data |= {
                "score": review.score, "right": review.score >= 1,
                "says": [text_html(each) for each in given.says],
                "trap": text_html(given.trap) if given.trap else None,
            }  # fmt: skip
        if isinstance(question, Open):
            title, text = good_answer(self._library, answered)
            data |= {"good_title": title, "good": text_html(text)}
            if data["reply"]:
                match = match_open(question, data["reply"])
                data["heard"] = heard_rows(presented, match, text_html)
        else:
            model = model_answer(question, presented.values, presented.shown or None)
            data |= {"good_title": "Answer", "good": text_html(model)}
            data["why"] = text_html(filled(presented, question.why))
        return data


def question_data(presented: Presented) -> Data:
    """A question as the templates show it."""
    shown = shown_question(presented, text_html)
    return {"topic": presented.topic, "level": presented.question.level.value, **shown}


def _why_not(exercise: Exercise) -> str:
    """Why no kernel can be graded here, as a sentence; empty if one can."""
    if find_spec(exercise.spec.runtime) is None:
        return "grading needs pip install 'quizprep[grade]'."
    return ""
