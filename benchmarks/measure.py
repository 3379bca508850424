"""Time per request, as well as a noisy machine can tell it.

The contestants take turns in short rounds, each round in another order, so that a slow moment of the machine meets all
of them. What counts is the fastest round: noise only ever adds.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from benchmarks.cases import Case
from benchmarks.contestants import Contestant

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

__all__ = ["Times", "answer_of", "measure", "verify"]

Times = dict[str, dict[str, float]]
"""Microseconds per request, by the names of case and contestant."""

_BATCH = 50
"""So many environs are made ahead at a time, off the clock: few enough to stay in the processor's cache."""


def verify(contestants: Iterable[Contestant], cases: Sequence[Case]) -> None:
    """Raise AssertionError unless every contestant answers every case with its status and JSON value."""
    for contestant in contestants:
        for case in cases:
            _verify(contestant, case)


def answer_of(contestant: Contestant, case: Case) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer to a case."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        started.append((status, headers))
        return _write

    answer = contestant.app(case.environs()(), start_response)
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    ((status, pairs),) = started
    return int(status[:3]), {name.lower(): value for name, value in pairs}, body


def _verify(contestant: Contestant, case: Case) -> None:
    status, headers, body = answer_of(contestant, case)
    length = headers.get("content-length", str(len(body)))  # Django's own come by CommonMiddleware
    said = (status, headers["content-type"].partition(";")[0], length, json.loads(body))
    right = (case.status, "application/json", str(len(body)), case.answer)
    if said != right:
        raise AssertionError(f"{contestant.name} answers {case.method} {case.target} by {said}, not {right}")


def measure(contestants: Sequence[Contestant], cases: Sequence[Case], rounds: int, calls: int) -> Times:
    """Return the time per request in the fastest of `rounds` rounds of `calls` calls each."""
    order = list(contestants)
    fastest: Times = {case.name: {contestant.name: float("inf") for contestant in order} for case in cases}
    gc.collect()
    gc.freeze()
    try:
        for number in range(rounds):
            # Neighbours change sides in every second round, and each contestant comes first in its turn.
            turn = order[number % len(order) :] + order[: number % len(order)]
            for case in cases:
                for contestant in turn if number % 2 else reversed(turn):
                    took = _time(contestant.app, case, calls)
                    times = fastest[case.name]
                    times[contestant.name] = min(times[contestant.name], took)
    finally:
        gc.unfreeze()
    return fastest


def _time(app: WSGIApplication, case: Case, calls: int) -> float:
    """Return the microseconds that a call of `app` takes, on average."""
    fresh = case.environs()
    took = 0
    gc.collect()
    gc.disable()
    try:
        for _ in range(max(calls // _BATCH, 1)):
            took += _run(app, [fresh() for _ in range(_BATCH)])
    finally:
        gc.enable()
    return took / (max(calls // _BATCH, 1) * _BATCH) / 1000


def _run(app: WSGIApplication, environs: list[WSGIEnvironment]) -> int:
    """Return the nanoseconds that `app` takes for a request each, called as gunicorn calls it."""
    start = perf_counter_ns()
    for environ in environs:
        answer = app(environ, _start_response)
        for _ in answer:
            pass
        if hasattr(answer, "close"):
            answer.close()
    return perf_counter_ns() - start


def _start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Any:
    """Take the start of an answer, and do nothing."""
    return _write


def _write(_: bytes) -> None:
    """Do nothing: none of the answers is written."""
