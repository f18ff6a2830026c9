"""What a layered queueing network is made of: processors, tasks, entries; and its solution."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx

from archcheck.model import ModelError


@dataclass(frozen=True)
class Processor:
    """Where tasks run: ``servers`` processors, shared equally or served in order.

    ``copies``: so many of them apart from each other, one for each copy of its tasks.
    """

    name: str
    servers: float = math.inf
    sharing: bool = True
    copies: int = 1


@dataclass(frozen=True)
class TaskEntry:
    """What a task does for a request.

    ``work``: mean seconds on its processor; ``calls``: entry to the mean number of calls whose
    answers it waits for. ``work_after`` and ``calls_after``: once it has answered (second phase).
    ``rate``: requests a second from outside.
    """

    name: str
    work: float = 0.0
    calls: Mapping[str, float] = field(default_factory=dict)
    work_after: float = 0.0
    calls_after: Mapping[str, float] = field(default_factory=dict)
    rate: float = 0.0


@dataclass(frozen=True)
class Task:
    """Threads that serve in the order of arrival, each held until its request is done.

    A reference task is the users: its ``threads`` go round for ever, with ``think`` seconds
    between two rounds; nobody calls it. ``copies``: replicas with so many threads each, among
    which its callers choose evenly. ``own``: tasks with as many copies, each of which only one copy
    of this task calls.
    """

    name: str
    processor: str
    entries: Sequence[TaskEntry]
    threads: float = 1
    is_reference: bool = False
    think: float = 0.0
    copies: int = 1
    own: Sequence[str] = ()

    @property
    def everywhere(self) -> float:
        """The threads of all copies."""
        return self.threads * self.copies


@dataclass(frozen=True)
class LayeredSolution:
    """Long-run means of a layered network, by the names of entries, tasks and processors.

    ``throughputs``: requests a second of each entry. ``answers``: seconds from the start of
    service to the answer, and ``services`` to the end of service, waiting for the task itself
    left out. ``waits``: (calling task, entry) to the seconds until a thread is free.
    ``utilisations`` are busy threads of tasks and busy servers of processors. ``converged``:
    whether the last round of ``iterations`` changed nothing any more.
    """

    throughputs: Mapping[str, float]
    answers: Mapping[str, float]
    services: Mapping[str, float]
    waits: Mapping[tuple[str, str], float]
    utilisations: Mapping[str, float]
    iterations: int
    converged: bool
    trust: str


@dataclass(frozen=True)
class LayeredNetwork:
    """The network, checked, with its layers."""

    processors: tuple[Processor, ...]
    tasks: tuple[Task, ...]

    def __post_init__(self) -> None:
        names = [*(p.name for p in self.processors), *(t.name for t in self.tasks)]
        for each in (names, [entry.name for task in self.tasks for entry in task.entries]):
            twice = next((name for name in each if each.count(name) > 1), None)
            if twice is not None:
                raise ModelError(f"there are two parts with the name {twice!r}")
        for task in self.tasks:
            if task.processor not in {p.name for p in self.processors}:
                raise ModelError(
                    f"task {task.name!r} runs on {task.processor!r}, which is no processor"
                )
            for name in (n for entry in task.entries for n in (*entry.calls, *entry.calls_after)):
                if name not in self.task_of or self.task_of[name].is_reference:
                    raise ModelError(
                        f"task {task.name!r} calls {name!r}, which is no entry to call"
                    )

    @cached_property
    def task_of(self) -> dict[str, Task]:
        """Entry to its task."""
        return {entry.name: task for task in self.tasks for entry in task.entries}

    @cached_property
    def order(self) -> list[Task]:
        """Callers before those they call."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(task.name for task in self.tasks)
        for task in self.tasks:
            for entry in task.entries:
                targets = (*entry.calls, *entry.calls_after)
                graph.add_edges_from((task.name, self.task_of[name].name) for name in targets)
        if not nx.is_directed_acyclic_graph(graph):
            raise ModelError("tasks call each other in a circle")
        by_name = {task.name: task for task in self.tasks}
        return [by_name[name] for name in nx.lexicographical_topological_sort(graph)]

    @cached_property
    def layers(self) -> list[list[str]]:
        """Tasks and processors by their depth below the users, the uppermost servers first."""
        depth: dict[str, int] = defaultdict(int)
        for task in self.order:
            below = [
                *(self.task_of[n].name for e in task.entries for n in (*e.calls, *e.calls_after)),
                task.processor,
            ]
            for name in below:
                depth[name] = max(depth[name], depth[task.name] + 1)
        found: dict[int, list[str]] = defaultdict(list)
        for name in [*(t.name for t in self.order), *(p.name for p in self.processors)]:
            if depth[name]:
                found[depth[name]].append(name)
        return [found[level] for level in sorted(found)]
