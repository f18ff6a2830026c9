"""A system of any number of services whose requests cost the same at every size.

Cells of ten services: an entry calls three, each of these two more, every second one asks a
datastore. The last leaf of a cell is called by the next cell too, so that cells are not apart. A
cell has a journey with its own Poisson load.
"""

from __future__ import annotations

from archcheck import (
    Call,
    Docker,
    Endpoint,
    Go,
    Journey,
    Load,
    MySQL,
    Named,
    Network,
    Poisson,
    Pool,
    Read,
    Scenario,
    Service,
    SpringBoot,
    Step,
    System,
    Work,
)
from archcheck.units import ms, s


def cells(services: int, rate: float) -> System:
    """``services`` (a multiple of ten) that take ``rate`` journeys a second in all."""
    count = services // 10
    elements: list[Named] = []
    journeys = []
    for cell in range(count):
        elements += _cell(cell, (cell + 1) % count)
        journeys.append(Journey(f"j{cell}", f"c{cell}s0.run"))
    load = [Load(journey, Poisson(rate / count / s)) for journey in journeys]
    return System(
        f"cells-{services}",
        elements,
        journeys=journeys,
        scenarios=[Scenario("load", load=load)],
        network=Network(delay=0.25 * ms),
    )


def _cell(cell: int, following: int) -> list[Named]:
    callees = {0: (1, 2, 3), 1: (4, 5), 2: (6, 7), 3: (8, 9)}
    store = f"c{cell}db"
    elements: list[Named] = [MySQL(store, read=0.5 * ms, max_connections=100)]
    for number in range(10):
        steps: list[Step] = [Work(0.4 * ms)]
        steps += [Call(f"c{cell}s{n}.run", timeout=500 * ms) for n in callees.get(number, ())]
        if number == 3:
            steps.append(Call(f"c{following}s9.run", timeout=500 * ms))
        if number % 2:
            steps.append(Read(store, timeout=500 * ms))
        runtime = SpringBoot(threads=50, parallelism=4) if number < 4 else Go(parallelism=4)
        elements.append(
            Service(
                f"c{cell}s{number}",
                runtime=runtime,
                deployment=Docker(replicas=2),
                endpoints=[Endpoint("run", steps=steps)],
                pools=[Pool(store, 20)] if number % 2 else [],
            )
        )
    return elements
