"""A mutation run over the checks of the rules: do their examples notice a change?

Each mutant of cosmic-ray's operators in a check (or in what it calls in its own file) is loaded
in this process and put to the rule's examples. It is killed when what the rule says of any of
them changes: its subjects, its messages, its evidence, its fix, or what it asks for. That is what
the suite compares too: the subjects in ``tests/contracts``, also with another system beside the
example, and all the rest as the generated pages in ``docs/rules``, which must be current.

``python tests/mutation/mutate_rules.py [RULE]...`` prints the score and the survivors; without
arguments it also writes ``docs/mutants.md``. Mutants of
annotations, docstrings and the examples themselves are no mutants of a check and are left out.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import math
import re
import signal
import sys
import time
import types
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing import Pool
from pathlib import Path

from cosmic_ray.ast import get_ast
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator, operator_names
from unions import WHOLE, unions

from archcheck.configuration import Settings
from archcheck.findings import EXAMPLES_DAY, Example, Rule, RuleOutcome, evaluate
from archcheck.graph import Graph
from archcheck.plugins import rules
from archcheck.verification import verify

_LEFT_OUT = ("RemoveDecorator", "Variable")
_OPERATORS = [n for n in operator_names() if not any(word in n for word in _LEFT_OUT)]
_SECONDS = 2


@dataclass(frozen=True)
class Mutant:
    """One change, and whether the examples noticed it."""

    rule: str
    operator: str
    line: int
    before: str
    after: str
    killed: bool


def mutants_of(rule: Rule) -> list[Mutant]:
    """All mutants of one rule's check, tried."""
    path = Path(inspect.getfile(rule.checker))
    source = path.read_text()
    plain = _checked_part(source)
    started = time.perf_counter()
    expected = _said(rule, rule.examples)
    # a mutant that takes much longer than the rule does not end; one as slow as the rule may
    seconds = max(_SECONDS, math.ceil(5 * (time.perf_counter() - started)))
    found: list[Mutant] = []
    seen = {plain}
    for operator, code in _mutated(source):
        try:
            part = _checked_part(code)
        except (SyntaxError, RecursionError):
            continue
        if part in seen:
            continue
        seen.add(part)
        line, before, after = _difference(source, code)
        killed = not _survives(rule, path, code, expected, seconds)
        found.append(Mutant(rule.id, operator.partition("/")[2], line, before, after, killed))
    return found


def _mutated(source: str) -> Iterator[tuple[str, str]]:
    for name in _OPERATORS:
        operator = get_operator(name)()
        for occurrence in range(10_000):
            visitor = MutationVisitor(occurrence, operator)
            tree = visitor.walk(get_ast(source))
            if not visitor.mutation_applied:
                break
            yield name, tree.get_code()


def _checked_part(source: str) -> str:
    """The check, what it reaches in its file, and constants: without annotations and docs."""
    tree = ast.parse(source)
    defined = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    reached, waiting = set(), ["check", "Options"]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in defined:
            continue
        reached.add(name)
        names = [n for n in ast.walk(defined[name]) if isinstance(n, ast.Name)]
        waiting += [n.id for n in names]
    kept = [defined[name] for name in defined if name in reached]
    constants = [n for n in tree.body if isinstance(n, ast.Assign) and not _is_rule(n)]
    return "\n".join(ast.dump(_Plain().visit(node)) for node in [*kept, *constants])


def _is_rule(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "rule" for target in node.targets)


class _Plain(ast.NodeTransformer):
    """Drops what changes nothing: annotations, docstrings, how options are made."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.decorator_list = []
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = ast.Constant(None)
        self.generic_visit(node)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return ast.Pass() if isinstance(node.value, ast.Constant) else self.generic_visit(node)


def _difference(source: str, code: str) -> tuple[int, str, str]:
    pairs = zip(source.splitlines(), code.splitlines(), strict=False)
    for number, (before, after) in enumerate(pairs, 1):
        if before != after:
            return number, before.strip(), after.strip()
    return 0, "", ""


def _survives(rule: Rule, path: Path, code: str, expected: list[object], seconds: int) -> bool:
    module = types.ModuleType(f"mutant_{rule.id}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    signal.signal(signal.SIGALRM, _timeout)
    signal.alarm(seconds)
    try:
        exec(compile(code, str(path), "exec"), module.__dict__)  # noqa: S102
        return _said(module.__dict__["rule"], module.__dict__["rule"].examples) == expected
    except BaseException:
        return False
    finally:
        signal.alarm(0)
        del sys.modules[module.__name__]


class _TooLongError(BaseException):
    """Not an ``Exception``: a rule's own error would be an outcome."""


def _timeout(*_: object) -> None:
    raise _TooLongError


def _said(rule: Rule, examples: list[Example]) -> list[object]:
    """What the pages and the contract tests hold a rule to."""
    alone = [_plain(_outcome(rule, example)) for example in examples]
    together = [
        _plain(evaluate(rule, Graph(union, today=EXAMPLES_DAY)))
        for example in (examples if rule.id not in WHOLE else ())
        if example.kind != "good"
        for union in islice(unions(rule, example), 2)
    ]
    return [*alone, *together]


def _outcome(rule: Rule, example: Example) -> RuleOutcome:
    if not rule.reviews:
        return evaluate(rule, example.graph())
    # a rule that follows others reads what those say; one that reviews reads what all say
    others = [each for each in rules() if each.id in (rule.follows or _all_but(rule))]
    settings = Settings(profile="strict")
    done = verify(example.build(), [*others, rule], settings=settings, today=EXAMPLES_DAY)
    return next(outcome for outcome in done.outcomes if outcome.rule is rule)


def _all_but(rule: Rule) -> set[str]:
    return {each.id for each in rules()} - {rule.id}


def _plain(outcome: RuleOutcome) -> object:
    return (
        bool(outcome.broken),
        [
            (place.subject, place.message, [part.text for part in place.evidence], place.fix)
            for finding in outcome.findings
            for place in finding.occurrences
        ],
        [
            (question.missing, [(name, threshold) for name, _, threshold in question.subjects])
            for question in outcome.questions
        ],
        outcome.not_applicable,
    )


def _of_id(identity: str) -> list[Mutant]:
    return mutants_of(next(rule for rule in rules() if rule.id == identity))


_KINDS = {
    r"_Is$|_IsNot$|^ReplaceComparisonOperator_Is": "identity for equality, of words and small "
    "numbers, which Python keeps once: no test can tell",
    r"^ReplaceComparisonOperator": "another comparison that is the same for all values that can "
    "occur (words of a closed set, counts that are never negative), or at a limit that no example "
    "hits exactly",
    r"ContinueWithBreak": "the loop ends where only things that say nothing would follow",
    r"Number": "tolerances against rounding, how many names a sentence shows, defaults that an "
    "example does not reach",
    r"Binary": "sums that are equal for the numbers of the examples",
    r"And|Or|Not|True|False|Zero|Unary": "conditions that another condition makes unnecessary in "
    "the examples",
}


def page(killed: int, survivors: Sequence[tuple[str, int, str, str]]) -> str:
    """The result as a page: the score, why mutants survive, and each of them."""
    groups: Counter[str] = Counter()
    for _, _, operator, _ in survivors:
        groups[next(why for kind, why in _KINDS.items() if re.search(kind, operator))] += 1
    total = killed + len(survivors)
    parts = [
        "# Mutants of the rules",
        f"`make mutants` changed the checks of the rules in {total:,} ways; the examples noticed\n"
        f"{killed:,} of them ({killed / total:.1%}). The others by kind, with why most of a kind\n"
        "survive, and one by one:",
        "\n".join(
            ["| survivors | why |", "|---:|---|"]
            + [f"| {count} | {why} |" for why, count in groups.most_common()]
        ),
    ]
    for rule, found in itertools.groupby(survivors, key=lambda survivor: survivor[0]):
        lines = [f"{line}: {after}" for _, line, _, after in found]
        parts.append("\n".join([f"## {rule}", "```text", *lines, "```"]))
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Run, print the survivors and the score; 1 below 85%."""
    wanted = sys.argv[1:]
    chosen = [
        rule.id for rule in rules() if not wanted or any(re.match(w, rule.id) for w in wanted)
    ]
    mutants: list[Mutant] = []
    with Pool(2) as pool:
        for found in pool.imap(_of_id, chosen):
            mutants += found
            for mutant in found:
                if not mutant.killed:
                    print(f"{mutant.rule}:{mutant.line} {mutant.operator}")
                    print(f"    - {mutant.before}\n    + {mutant.after}", flush=True)
    survivors = [(m.rule, m.line, m.operator, m.after) for m in mutants if not m.killed]
    killed = len(mutants) - len(survivors)
    score = killed / max(1, len(mutants))
    print(f"{killed} of {len(mutants)} mutants killed: {score:.1%}")
    if not wanted:
        (Path(__file__).parents[2] / "docs" / "mutants.md").write_text(page(killed, survivors))
    return 0 if score >= 0.85 else 1


if __name__ == "__main__":
    sys.exit(main())
