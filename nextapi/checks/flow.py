"""The flow of answers through a handler: which of its paths never answer, and which answer twice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from nextapi.checks.finding import ANSWERS_TWICE, NEVER_ANSWERS, RETURNING_RES, Finding, Function, parents

__all__ = ["Flow"]

_ANSWERING = frozenset({"json", "send", "end", "redirect"})
_QUIET = frozenset({"status_code", "status_message", "has_header", "remove_header", "flush_headers"}) | frozenset(
    {"get_header", "get_headers", "get_header_names", "revalidate"}
)
# A function of such a name may be one that always raises.
_RAISING = re.compile(
    r"(?i)abort|bad_|deny|error|exit|fail|forbid|missing|never|not_|quit|raise|redirect|refuse|reject|unauth"
)

_Scope = Function | ast.ClassDef | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Simple = (
    ast.Expr
    | ast.Assign
    | ast.AugAssign
    | ast.AnnAssign
    | ast.Assert
    | ast.Delete
    | ast.Pass
    | ast.Import
    | ast.ImportFrom
    | ast.Global
    | ast.Nonlocal
    | Function
    | ast.ClassDef
)


class _Answered(Enum):
    NO = auto()
    MAYBE = auto()
    YES = auto()


class _Fact(NamedTuple):
    """Whether a path has answered; of NO, the line and words to say it with, of YES the line of the answer."""

    answered: _Answered
    line: int
    message: str = ""


_State = frozenset[_Fact]
"""What is so of the paths that lead to a statement; empty where none does."""

_UNREACHABLE: _State = frozenset()


class _Test(NamedTuple):
    """A condition: the expressions that it is about, and whether it only compares one with constants."""

    subjects: frozenset[str]
    is_plain: bool


class _Loop(NamedTuple):
    breaks: list[_State]
    continues: list[_State]


class Flow:
    """All paths through a handler at once: what has surely answered, and what surely has not."""

    def __init__(self, module: ast.Module, handler: Function, res: str) -> None:
        self._handler, self._res = handler, res
        self._parents = parents(handler)
        self._raisers = {
            node.name for node in module.body if isinstance(node, Function) and isinstance(node.body[-1], ast.Raise)
        }
        self._findings: list[Finding] = []
        self._tests: list[_Test] = []
        self._loops: list[_Loop] = []
        self._finally_answers = 0

    def findings(self) -> list[Finding]:
        """Return what is to be said of the handler."""
        start = _Fact(_Answered.NO, self._handler.lineno, "the handler ends without an answer")
        self._leave(self._run(self._handler.body, frozenset({start})))
        return self._findings

    def _run(self, body: Iterable[ast.stmt], state: _State) -> _State:
        for statement in body:
            if not state:
                break
            state = self._step(statement, state)
        return state

    def _step(self, node: ast.stmt, state: _State) -> _State:
        if isinstance(node, ast.Return):
            state = self._effects(node, state)
            if _answers(state) == {_Answered.NO}:
                state = frozenset(
                    {_Fact(_Answered.NO, node.lineno, "this `return` leaves the handler without an answer")}
                )
            self._leave(state)
            return _UNREACHABLE
        if isinstance(node, ast.Raise):
            return _UNREACHABLE
        if isinstance(node, ast.Break | ast.Continue):
            loop = self._loops[-1]
            state = _maybe(node) if self._finally_answers else state
            (loop.breaks if isinstance(node, ast.Break) else loop.continues).append(state)
            return _UNREACHABLE
        if isinstance(node, _Simple):
            if isinstance(node, ast.Assert):
                self._tests.append(_test(node.test))
            return self._effects(node, state)
        if self._is_inert(node):
            return state
        if len(_answers(state)) > 1:
            state = _maybe(node)  # its conditions may hang on what went before
        return self._compound(node, state)

    def _compound(self, node: ast.stmt, state: _State) -> _State:
        if isinstance(node, ast.If):
            return self._if(node, state)
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            return self._loop(node, state)
        if isinstance(node, ast.With | ast.AsyncWith):
            return self._with(node, state)
        if isinstance(node, ast.Try | ast.TryStar):
            return self._try(node, state)
        if isinstance(node, ast.Match):
            return self._match(node, state)
        return _maybe(node)  # a statement of a later Python

    def _if(self, node: ast.If, state: _State) -> _State:
        first, branches = node, [node]
        while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            node = node.orelse[0]
            branches.append(node)
        tests = [_test(branch.test) for branch in branches]
        is_open = self._may_all_fail(tests)
        before, ends = state, []
        for branch in branches:
            state = self._effects(branch.test, state)
            ends.append(self._run(branch.body, _branch(state, branch.lineno, "this branch ends without an answer")))
        if node.orelse:
            line = node.orelse[0].lineno
            ends.append(self._run(node.orelse, _branch(state, line, "this branch ends without an answer")))
        elif not is_open:
            ends.append(_maybe(first))
        elif any(self._mentions_res(branch) for branch in first.body):
            ends.append(_branch(state, first.lineno, "where no test of this `if` holds, nothing answers"))
        else:
            ends.append(state)
        self._tests += tests
        return _join(before, ends)

    def _match(self, node: ast.Match, state: _State) -> _State:
        before = state = self._effects(node.subject, state)
        test = _Test(_subjects(node.subject), all(map(_is_plain_case, node.cases)))
        ends = []
        for case in node.cases:
            state = self._effects(case.guard, state)
            ends.append(self._run(case.body, _branch(state, case.pattern.lineno, "this case ends without an answer")))
        if not any(_matches_all(case) for case in node.cases):
            is_open = test.is_plain and self._may_all_fail([test])
            ends.append(
                _branch(state, node.lineno, "where no case matches, nothing answers") if is_open else _maybe(node)
            )
        self._tests.append(test)
        return _join(before, ends)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, state: _State) -> _State:
        state = self._effects(node.test if isinstance(node, ast.While) else node.iter, state)
        known = len(self._findings)
        loop, end = self._round(node.body, state)
        if not _answers(end) <= _answers(state):
            # The next round begins with what this one has done.
            del self._findings[known:]
            state = _maybe(node)
            loop, _ = self._round(node.body, state)
        if isinstance(node, ast.While):
            if isinstance(node.test, ast.Constant) and node.test.value:
                return _UNREACHABLE.union(*loop.breaks)
            self._tests.append(_test(node.test))
        state = _branch(state, node.lineno, "where this loop comes to its end, nothing answers")
        return self._run(node.orelse, state).union(*loop.breaks)

    def _round(self, body: list[ast.stmt], state: _State) -> tuple[_Loop, _State]:
        loop = _Loop([], [])
        self._loops.append(loop)
        end = self._run(body, state)
        self._loops.pop()
        return loop, end.union(*loop.continues)

    def _with(self, node: ast.With | ast.AsyncWith, state: _State) -> _State:
        for item in node.items:
            state = self._effects(item, state)
        # A context manager may swallow an exception from anywhere inside.
        return state if self._run(node.body, state) == state else _maybe(node)

    def _try(self, node: ast.Try | ast.TryStar, state: _State) -> _State:
        in_finally = any(self._mentions_res(statement) for statement in node.finalbody)
        self._finally_answers += in_finally
        end = self._run(node.body, state)
        raised = _maybe(node) if any(self._mentions_res(statement) for statement in node.body) else state
        ends = [self._run(node.orelse, end)]
        for handler in node.handlers:
            line = handler.lineno
            ends.append(self._run(handler.body, _branch(raised, line, "this `except` ends without an answer")))
        self._finally_answers -= in_finally
        return self._run(node.finalbody, _join(state, ends))

    # What a statement does

    def _effects(self, node: ast.AST | None, state: _State) -> _State:
        """Return the state after an expression, or a statement that has no others in it."""
        answers = []
        for inner in ast.walk(node) if node is not None else ():
            if isinstance(inner, ast.Call) and self._may_always_raise(inner):
                state = _maybe(inner)
            if isinstance(inner, ast.Name) and inner.id == self._res:
                use = self._use(inner)
                if use is _Answered.YES:
                    answers.append(inner.lineno)
                elif use is _Answered.MAYBE:
                    state = _maybe(inner)
        for line in sorted(answers):
            known = [fact.line for fact in state if fact.answered is _Answered.YES]
            if known:
                message = f"a second answer: line {min(known)} has answered already"
                self._findings.append(Finding(line, ANSWERS_TWICE, message))
            state = frozenset({_Fact(_Answered.YES, line)})
        return state

    def _use(self, name: ast.Name) -> _Answered:
        """Say whether a use of `res` answers."""
        if self._is_conditional(name):
            return _Answered.MAYBE
        use: ast.expr = name
        while isinstance(attribute := self._parents[use], ast.Attribute):
            call = self._parents[attribute]
            if attribute.attr in _QUIET:
                return _Answered.NO
            if not isinstance(call, ast.Call) or call.func is not attribute:
                return _Answered.MAYBE
            if attribute.attr in _ANSWERING:
                return _Answered.YES
            if attribute.attr not in RETURNING_RES:
                return _Answered.MAYBE
            use = call
        is_dropped = isinstance(attribute, ast.Expr | ast.Return | ast.Await)
        return _Answered.NO if is_dropped else _Answered.MAYBE

    def _is_conditional(self, node: ast.AST) -> bool:
        """Say whether an expression is evaluated only under a condition, or at another time, within its statement."""
        while (parent := self._parents[node]) is not self._handler:
            if isinstance(parent, ast.IfExp) and node is not parent.test:
                return True
            if isinstance(parent, ast.BoolOp) and node is not parent.values[0]:
                return True
            if isinstance(parent, _Scope):
                return True
            node = parent
        return False

    def _may_always_raise(self, call: ast.Call) -> bool:
        if isinstance(call.func, ast.Name):
            return call.func.id in self._raisers or bool(_RAISING.search(call.func.id))
        if isinstance(call.func, ast.Attribute) and not self._mentions_res(call.func):
            return bool(_RAISING.search(call.func.attr))
        return False

    def _mentions_res(self, node: ast.AST) -> bool:
        return any(isinstance(inner, ast.Name) and inner.id == self._res for inner in ast.walk(node))

    def _is_inert(self, node: ast.stmt) -> bool:
        """Say whether a statement neither answers nor leaves."""
        leaving = (ast.Return, ast.Raise, ast.Break, ast.Continue)
        return not any(
            isinstance(inner, leaving)
            or (isinstance(inner, ast.Name) and inner.id == self._res)
            or (isinstance(inner, ast.Call) and self._may_always_raise(inner))
            for inner in ast.walk(node)
        )

    def _may_all_fail(self, tests: list[_Test]) -> bool:
        """Say whether nothing tells that one of `tests` must hold: neither each other nor those that went before."""
        for index, test in enumerate(tests):
            for other in (*self._tests, *tests[:index]):
                if test.subjects & other.subjects and not (test.is_plain and other.is_plain):
                    return False
        return True

    def _leave(self, state: _State) -> None:
        for fact in state if not self._finally_answers else ():
            if fact.answered is _Answered.NO:
                self._findings.append(Finding(fact.line, NEVER_ANSWERS, fact.message))


def _answers(state: _State) -> set[_Answered]:
    return {fact.answered for fact in state}


def _maybe(node: ast.stmt | ast.expr) -> _State:
    return frozenset({_Fact(_Answered.MAYBE, node.lineno)})


def _branch(state: _State, line: int, message: str) -> _State:
    """Return a state at the beginning of a branch: what has not answered there is said to be of it."""
    return frozenset(_Fact(_Answered.NO, line, message) if fact.answered is _Answered.NO else fact for fact in state)


def _join(before: _State, ends: list[_State]) -> _State:
    """Return the state behind branches; as it was before them, where each comes to its end with nothing changed."""
    if all(_answers(end) == {_Answered.NO} for end in ends):
        return before
    return _UNREACHABLE.union(*ends)


def _test(test: ast.expr) -> _Test:
    return _Test(_subjects(test), _is_plain(test))


def _subjects(test: ast.expr) -> frozenset[str]:
    """Return the expressions that a test is about, as text: `req.method` of `req.method == "GET"`."""
    found = set()
    pending: list[ast.AST] = [test]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Call):
            found.add(ast.unparse(node))
            pending += [*node.args, *node.keywords]
            if isinstance(node.func, ast.Attribute):
                pending.append(node.func.value)
        else:
            pending += ast.iter_child_nodes(node)
    return frozenset(found)


def _is_plain(test: ast.expr) -> bool:
    """Say whether a test only compares with constants, so that a few of its kind leave something over."""
    if isinstance(test, ast.BoolOp):
        return isinstance(test.op, ast.Or) and all(map(_is_plain, test.values))
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq | ast.In | ast.Is):
        return False
    compared = test.comparators[0]
    values = compared.elts if isinstance(compared, ast.Tuple | ast.List | ast.Set) else [compared]
    return len(test.ops) == 1 and all(map(_is_value, values))


def _is_value(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, bool)


def _is_plain_case(case: ast.match_case) -> bool:
    patterns = case.pattern.patterns if isinstance(case.pattern, ast.MatchOr) else [case.pattern]
    return all(isinstance(pattern, ast.MatchValue) and _is_value(pattern.value) for pattern in patterns)


def _matches_all(case: ast.match_case) -> bool:
    patterns = case.pattern.patterns if isinstance(case.pattern, ast.MatchOr) else [case.pattern]
    last = patterns[-1]
    return case.guard is None and isinstance(last, ast.MatchAs) and last.pattern is None
