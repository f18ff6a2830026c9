"""Queueing networks against published tables, formulas and Markov chains solved here."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from depth import examples
from hypothesis import example, given
from hypothesis import strategies as st

from archcheck.capacity import erlang_c
from archcheck.capacity.networks import (
    Chain,
    Method,
    QueueingNetwork,
    QueueingStation,
    closed_visits,
    open_rates,
    solve,
)
from archcheck.capacity.networks.exact import convolved, mean_values
from archcheck.model import ModelError

EXACT = 1e-9


# -- published tables -------------------------------------------------------------------------

TERMINALS = QueueingNetwork(
    [QueueingStation("terminals", math.inf), QueueingStation("disk")],
    [
        Chain("one", {"terminals": 8, "disk": 1}, population=8),
        Chain("other", {"disk": 1}, population=1),
    ],
)
"""Chandy and Neuse, Linearizer, 1982: two chains at one queue."""

INTERACTIVE = QueueingNetwork(
    [QueueingStation("cpu", sharing=True), QueueingStation("disk", sharing=True)],
    [
        Chain("batch", {"cpu": 1, "disk": 0.09}, population=10),
        Chain("interactive", {"cpu": 0.1, "disk": 0.9}, population=25, think=30),
    ],
)
"""Lazowska, Zahorjan, Graham and Sevcik, Quantitative System Performance, 1984, page 131."""


@pytest.mark.parametrize(
    ("method", "first", "second"),
    [("exact", 5.227, 2.773), ("linearizer", 5.231, 2.769), ("schweitzer", 5.108, 2.892)],
)
def test_chandy_and_neuse(method: Method, first: float, second: float) -> None:
    found = solve(TERMINALS, method)
    assert found.queue("terminals", "one") == pytest.approx(first, abs=0.002)
    assert found.queue("disk", "one") == pytest.approx(second, abs=0.002)
    assert found.queue("disk", "other") == pytest.approx(1)


@pytest.mark.parametrize(
    ("method", "queues", "within"),
    [
        ("exact", (9.717, 0.8496, 0.2827, 2.090), 0.001),
        ("linearizer", (9.721, 0.8515, 0.2792, 2.055), 0.012),
        ("schweitzer", (9.7047, 0.8385, 0.2953, 2.303), 0.012),
    ],
)
def test_lazowska(method: Method, queues: tuple[float, ...], within: float) -> None:
    found = solve(INTERACTIVE, method)
    pairs = itertools.product(("cpu", "disk"), ("batch", "interactive"))
    for (station, chain), published in zip(pairs, queues, strict=True):
        assert found.queue(station, chain) == pytest.approx(published, abs=within)


def test_reiser_and_lavenberg_by_hand() -> None:
    """Two chains of one customer: 1 and 3 s, 2 and 4 s. Each sees the other one alone."""
    network = QueueingNetwork(
        [QueueingStation("cpu", sharing=True), QueueingStation("disk", sharing=True)],
        [
            Chain("a", {"cpu": 1, "disk": 3}, population=1),
            Chain("b", {"cpu": 2, "disk": 4}, population=1),
        ],
    )
    found = solve(network, "exact")
    assert found.throughput("a") == pytest.approx(
        1 / (1 * (1 + 2 / 6) + 3 * (1 + 4 / 6)), rel=EXACT
    )
    assert found.throughput("b") == pytest.approx(
        1 / (2 * (1 + 1 / 4) + 4 * (1 + 3 / 4)), rel=EXACT
    )


# -- theory -----------------------------------------------------------------------------------


def test_jackson_network() -> None:
    """Open, with feedback: M/M/1 and M/M/3 at the rates of the traffic equations."""
    routing = [[0.0, 0.6, 0.2], [0.3, 0.0, 0.5], [0.1, 0.1, 0.0]]
    rates = open_rates([1.0, 0.5, 0.0], routing)
    assert rates @ np.array(routing) + [1.0, 0.5, 0.0] == pytest.approx(rates)
    servers, times = (1, 3, 2), (0.3, 0.9, 0.4)
    stations = [QueueingStation(str(i), c) for i, c in enumerate(servers)]
    total = 1.5
    demands = {
        str(i): rate / total * time for i, (rate, time) in enumerate(zip(rates, times, strict=True))
    }
    visits = {str(i): float(rate) / total for i, rate in enumerate(rates)}
    found = solve(QueueingNetwork(stations, [Chain("all", demands, rate=total, visits=visits)]))
    assert found.method == "exact"
    for i, (count, time) in enumerate(zip(servers, times, strict=True)):
        offered = float(rates[i]) * time
        queue = offered + erlang_c(count, offered) * offered / (count - offered)
        assert found.queue(str(i)) == pytest.approx(queue, rel=EXACT)


def test_general_times_are_allen_and_cunneen() -> None:
    """Exact for M/G/1: Pollaczek and Khinchine."""
    network = QueueingNetwork(
        [QueueingStation("q", variability=4.0)], [Chain("a", {"q": 0.5}, rate=1.0)]
    )
    found = solve(network)
    assert found.response("a") == pytest.approx(0.5 + 0.5 * 0.5 * 2.5 / 0.5)
    assert "Allen and Cunneen" in found.trust


def test_saturated_open_station() -> None:
    found = solve(
        QueueingNetwork(
            [QueueingStation("q"), QueueingStation("z")], [Chain("a", {"q": 2, "z": 1}, rate=0.6)]
        )
    )
    assert found.response("a") == math.inf
    assert found.utilisation("q") == pytest.approx(1.2)


def test_machine_repair() -> None:
    """M/M/c//N (finite source): its birth and death chain, by both approximations as well."""
    for customers, servers, think, time in [
        (5, 2, 3.0, 1.0),
        (40, 7, 10.0, 2.0),
        (9, 12, 1.0, 1.0),
    ]:
        network = QueueingNetwork(
            [QueueingStation("q", servers)],
            [Chain("a", {"q": time}, population=customers, think=think)],
        )
        weights = [1.0]
        for n in range(customers):
            weights.append(weights[-1] * (customers - n) / think / (min(n + 1, servers) / time))
        queue = sum(n * w for n, w in enumerate(weights)) / sum(weights)
        assert solve(network, "exact").queue("q") == pytest.approx(queue, rel=EXACT)
        assert solve(network, "linearizer").queue("q") == pytest.approx(queue, rel=0.02)


def markov_chain(
    demands: list[list[float]], servers: list[float], sizes: tuple[int, ...], think: list[float]
) -> list[float]:
    """Throughputs of a closed network of sharing stations, by its Markov chain.

    The last place of a chain's customers is its delay; customers go round the places in order.
    """
    places = len(demands) + 1
    ways = [
        [p for p in itertools.product(range(n + 1), repeat=places) if sum(p) == n] for n in sizes
    ]
    states = list(itertools.product(*ways))
    index = {state: i for i, state in enumerate(states)}
    rates = np.zeros((len(states), len(states)))
    flows = np.zeros((len(states), len(sizes)))
    for state in states:
        for chain, at in enumerate(state):
            for place, customers in enumerate(at):
                if not customers:
                    continue
                if place == places - 1:
                    rate = customers / think[chain]
                    flows[index[state], chain] += rate
                else:
                    there = sum(other[place] for other in state)
                    share = customers / there
                    rate = share * min(there, servers[place]) / demands[place][chain]
                moved = list(at)
                moved[place] -= 1
                moved[(place + 1) % places] += 1
                target = (*state[:chain], tuple(moved), *state[chain + 1 :])
                rates[index[state], index[target]] += rate
    generator = rates - np.diag(rates.sum(axis=1))
    generator[:, 0] = 1.0
    right = np.zeros(len(states))
    right[0] = 1.0
    stationary = np.linalg.solve(generator.T, right)
    return [float(x) for x in stationary @ flows]


@examples(25)
@given(st.data())
def test_exact_solutions_agree_with_markov_chains(data: st.DataObject) -> None:
    times = st.floats(0.1, 3.0)
    stations = data.draw(st.integers(1, 2))
    sizes = tuple(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    servers = [data.draw(st.sampled_from([1.0, 2.0, math.inf])) for _ in range(stations)]
    demands = [[data.draw(times) for _ in sizes] for _ in range(stations)]
    think = [data.draw(times) for _ in sizes]
    network = QueueingNetwork(
        [QueueingStation(str(k), c, sharing=True) for k, c in enumerate(servers)],
        [
            Chain(
                str(r),
                {str(k): demands[k][r] for k in range(stations)},
                population=n,
                think=think[r],
            )
            for r, n in enumerate(sizes)
        ],
    )
    expected = markov_chain(demands, servers, sizes, think)
    assert list(solve(network, "exact").throughputs) == pytest.approx(expected, rel=EXACT)


NETWORKS = st.builds(
    lambda demands, sizes, think: QueueingNetwork(
        [QueueingStation(str(k), sharing=True) for k in range(len(demands))],
        [
            Chain(
                str(r), {str(k): row[r] for k, row in enumerate(demands)}, population=n, think=think
            )
            for r, n in enumerate(sizes)
        ]
        + [Chain("open", {"0": 0.2}, rate=1.5)],
    ),
    st.lists(st.tuples(st.floats(0.01, 5), st.floats(0.01, 5)), min_size=1, max_size=4),
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    st.floats(0, 20),
)


@examples(40)
@given(NETWORKS)
def test_both_exact_algorithms_agree(network: QueueingNetwork) -> None:
    rates, queues = mean_values(network)
    others, other_queues, strangers = convolved(network)
    assert others == pytest.approx(rates, rel=EXACT)
    assert other_queues == pytest.approx(queues, rel=EXACT)
    found = solve(network)
    assert found.queue("0", "open") == pytest.approx(float(strangers[0]), rel=EXACT)


@examples(40)
@given(NETWORKS, st.sampled_from(["exact", "linearizer", "schweitzer"]))
def test_laws(network: QueueingNetwork, method: Method) -> None:
    """Customers are conserved, no server is more than busy, Little's law holds for cycles."""
    found = solve(network, method)
    for chain in network.closed:
        inside = sum(found.queue(s.name, chain.name) for s in network.stations)
        rate = found.throughput(chain.name)
        assert inside + rate * chain.think == pytest.approx(chain.population, rel=1e-5)
    for station in network.stations:
        assert found.utilisation(station.name) <= 1 + 1e-6


def two_chains(demands: list[tuple[float, float]], sizes: tuple[int, int]) -> QueueingNetwork:
    return QueueingNetwork(
        [QueueingStation(str(k), sharing=True) for k in range(len(demands))],
        [
            *(
                Chain(str(r), {str(k): row[r] for k, row in enumerate(demands)}, population=n)
                for r, n in enumerate(sizes)
            ),
            Chain("open", {"0": 0.2}, rate=1.5),
        ],
    )


@examples(40)
@given(NETWORKS)
@example(two_chains([(1.0, 4.0), (2.5, 3.0)], (4, 4)))
@example(two_chains([(1.643, 1.394), (0.1607, 0.9044), (1.399, 3.596)], (5, 5)))
def test_linearizer_is_near(network: QueueingNetwork) -> None:
    exact, near = solve(network, "exact"), solve(network, "linearizer")
    assert near.throughputs == pytest.approx(exact.throughputs, rel=0.03)


def test_mixed_network_with_many_servers() -> None:
    """M/M/2 with one closed customer: the chain of (closed, open) at the station."""
    rate, time, think, most = 1.2, 1.0, 2.0, 400
    network = QueueingNetwork(
        [QueueingStation("q", 2, sharing=True)],
        [
            Chain("open", {"q": time}, rate=rate),
            Chain("closed", {"q": time}, population=1, think=think),
        ],
    )
    weight = np.array(
        [
            [
                math.comb(n + m, n) * rate**m / 2.0 ** max(0, n + m - 1) * (1 / think) ** n
                for m in range(most)
            ]
            for n in range(2)
        ]
    )
    weight /= weight.sum()
    found = solve(network, "exact")
    assert found.queue("q", "open") == pytest.approx(
        float((weight * np.arange(most)).sum()), rel=EXACT
    )
    assert found.throughput("closed") == pytest.approx(float(weight[0].sum()) / think, rel=EXACT)


def test_visits_in_a_closed_network() -> None:
    assert closed_visits([[0, 0.5, 0.5], [1, 0, 0], [0.5, 0.5, 0]]) == pytest.approx([1, 0.75, 0.5])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: QueueingStation("q", 0), "servers must be a whole number"),
        (lambda: QueueingStation("q", 1.5), "servers must be a whole number"),
        (lambda: QueueingStation("q", variability=-1), "must not be negative"),
        (lambda: Chain("a", {}), "a rate (open) or a population (closed)"),
        (lambda: Chain("a", {"q": -1}, rate=1), "finite and not negative"),
        (lambda: Chain("a", {"q": 1}, rate=1, visits={"q": 0}), "above zero"),
        (
            lambda: QueueingNetwork([QueueingStation("q")], [Chain("a", {"p": 1}, rate=1)]),
            "'p', which is no station",
        ),
        (lambda: QueueingNetwork([QueueingStation("q")] * 2, []), "two of the station 'q'"),
        (
            lambda: QueueingNetwork([QueueingStation("q")], [Chain("a", {}, population=1)]),
            "takes no time",
        ),
        (lambda: solve(TERMINALS, "best"), "there is no method 'best'"),  # type: ignore[arg-type]
        (lambda: open_rates([1, 0], [[0, 1], [1, 0]]), "keeps customers for ever"),
        (lambda: open_rates([1], [[1.5]]), "at most 1"),
        (lambda: open_rates([1, 2], [[0.5]]), "needs 2 rows"),
        (lambda: closed_visits([[0, 0.5], [1, 0]]), "add up to 0.5"),
    ],
)
def test_wrong_input(make: object, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        make()  # type: ignore[operator]
    assert says in str(caught.value)


def test_no_exact_solution() -> None:
    in_order = QueueingNetwork(
        [QueueingStation("q")],
        [Chain("a", {"q": 1}, population=2, think=1), Chain("b", {"q": 2}, population=2, think=1)],
    )
    with pytest.raises(ModelError, match="chains differ in their times"):
        solve(in_order, "exact")
    assert "Linearizer" in solve(in_order).trust
    many = QueueingNetwork(
        [QueueingStation("q")], [Chain("a", {"q": 1}, population=300_000, think=1)]
    )
    with pytest.raises(ModelError, match="populations are too many"):
        solve(many, "exact")
    assert solve(many).throughput("a") == pytest.approx(1, rel=1e-3)


def test_open_chains_that_leave_nothing() -> None:
    network = QueueingNetwork(
        [QueueingStation("q")], [Chain("a", {"q": 1}, rate=1), Chain("b", {"q": 1}, population=1)]
    )
    with pytest.raises(ModelError, match="saturate 'q'"):
        solve(network)


# -- the approximations, where they once went wrong ---------------------------------------------


@pytest.mark.parametrize("method", ["linearizer", "schweitzer"])
@pytest.mark.parametrize("sharing", [True, False])
def test_a_closed_customer_waits_for_open_ones(method: Method, sharing: bool) -> None:
    """Alone with a load of 3/4 it stays D / (1 - 3/4), in order as well as sharing."""
    network = QueueingNetwork(
        [QueueingStation("cpu", 1, sharing=sharing)],
        [
            Chain("web", {"cpu": 0.1}, rate=7.5),
            Chain("batch", {"cpu": 0.1}, population=1, think=2.0),
        ],
    )
    found = solve(network, method)
    assert found.response("batch") == pytest.approx(0.4, rel=1e-6)
    assert found.throughput("batch") == pytest.approx(1 / 2.4, rel=1e-6)


@pytest.mark.parametrize(("servers", "kinds"), [(2, (2, 2)), (3, (2, 1, 3))])
def test_few_customers_of_several_chains_at_several_servers(
    servers: int, kinds: tuple[int, ...]
) -> None:
    network = QueueingNetwork(
        [QueueingStation("pool", servers, sharing=True), QueueingStation("disk")],
        [
            Chain(f"c{n}", {"pool": 3.0 if n else 0.3, "disk": 0.2}, population=count, think=1.0)
            for n, count in enumerate(kinds)
        ],
    )
    exact, found = solve(network, "exact"), solve(network, "linearizer")
    for chain in network.closed:
        assert found.throughput(chain.name) == pytest.approx(exact.throughput(chain.name), rel=0.01)


@pytest.mark.parametrize("users", [10, 19, 25, 40, 80, 300])
def test_a_station_of_several_servers_that_its_users_fill(users: int) -> None:
    """Eight servers, from idle to full: the approximation against the exact solution."""
    network = QueueingNetwork(
        [QueueingStation("q", 8), QueueingStation("rest", math.inf)],
        [Chain("all", {"q": 0.05, "rest": 0.2}, population=users)],
    )
    exact, found = solve(network, "exact"), solve(network, "linearizer")
    assert found.throughput("all") == pytest.approx(exact.throughput("all"), rel=0.02)
    assert found.queue("q") == pytest.approx(exact.queue("q"), rel=0.03)
