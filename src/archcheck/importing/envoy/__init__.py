"""Envoy's own configuration (API v3): a gateway or a sidecar, whom it reaches, and how.

A cluster is known by its hosts. Where other files say what runs there, it is that element; else it
is an element by itself, under its own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archcheck.importing.addresses import Address
from archcheck.importing.envoy.clusters import EnvoyCluster
from archcheck.importing.envoy.resources import Proxy, every, is_envoys, proxies
from archcheck.importing.envoy.routes import RoutedWay, shown, ways_of
from archcheck.importing.facts import (
    ElementPlace,
    Hint,
    KnownAs,
    Precedence,
    Promised,
    Reaches,
    Remark,
    Said,
    Statement,
    Toward,
)
from archcheck.importing.kubernetes.workloads import config_map_source
from archcheck.importing.naming import legible, unique_names
from archcheck.importing.products import PORT, SCHEME
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.traffic import Rules, same_for_all
from archcheck.importing.traffic import Said as SaidOf
from archcheck.importing.values import mappings
from archcheck.model import Gateway, Mesh, Service

ANYWHERE = "*"
"""Envoy does not say in whose network it stands: any host of the name is meant."""
_NAMING = ("cluster", "cluster_name", "collector_cluster")
"""Fields that name a cluster."""
_OWN = ("node", "static_resources")
"""Fields of a bootstrap that name the Envoy and its clusters, and not whom it asks."""


class EnvoyImporter:
    """Reads bootstraps, files that Envoy watches, and dumps of its admin page."""

    name = "envoy"
    title = "Envoy"
    precedence: Precedence = "deployed"
    order = 30

    def recognises(self, file: SourceFile) -> bool:
        return file.path.suffix.lower() in (".yaml", ".yml", ".json") and is_envoys(file)

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        every = proxies(files)
        names = unique_names(
            {number: proxy.name for number, proxy in enumerate(every)},
            lambda number: [
                f"{every[number].files[0].path.parent.name}/{every[number].name}",
                every[number].files[0].inner.as_posix(),
            ],
        )
        for number, proxy in enumerate(every):
            statements = list(_Envoy(proxy, names[number]).statements())
            yield Said(self.name, self.precedence, statements)


class _Envoy:
    def __init__(self, proxy: Proxy, name: str) -> None:
        self._proxy = proxy
        self._clusters = {
            name: EnvoyCluster(value, proxy.endpoints)
            for name, value in every(proxy.clusters, "cluster").items()
        }
        self._ways = ways_of(proxy)
        self._place = proxy.bootstrap.place if proxy.bootstrap else proxy.files[0].place
        self._element = name
        led_to = {way.cluster.text for way in self._ways.ways}
        self._is_sidecar = any(
            each.is_own and each.name in led_to for each in self._clusters.values()
        )
        """Whether it leads to the process beside it: it is no way in by itself."""
        self._elements = self._named_elements()

    def _named_elements(self) -> dict[str, str]:
        """The element of each cluster: of those with a host in common the first one's."""
        by_host: dict[str, str] = {}
        found: dict[str, str] = {}
        for name, cluster in self._clusters.items():
            hosts = [host.text.lower() for host, _ in cluster.hosts]
            own = legible(name.rpartition("|")[2] or name)
            own = f"{own} cluster" if own == self._element else own
            found[name] = next((by_host[host] for host in hosts if host in by_host), own)
            for host in hosts:
                by_host.setdefault(host, found[name])
        return found

    def statements(self) -> Iterator[Statement]:
        """All that its files say."""
        part = ElementPlace(self._element)
        held = self._proxy.config_map  # its pod may have other containers: it need be no gateway
        yield part.is_a(Service if self._is_sidecar or held else Gateway, self._place)
        source = config_map_source(held) if held else str(self._proxy.files[0].path)
        yield Promised(self._element, self._place, source, runs=not held)
        routes = shown(self._ways.ways)
        ports = f"Envoy on port {', '.join(self._ways.ports)}" if self._ways.ports else "Envoy"
        text = f"{ports}: {routes}" if routes else ports
        if not self._is_sidecar:
            yield part.says("description", text, self._place)
        asked = self._asked()
        for cluster in self._clusters.values():
            yield from self._of_cluster(cluster, asked)
        yield from self._rules()
        yield from self._mesh()
        yield from self._ways.remarks

    def _asked(self) -> dict[str, list[RoutedWay]]:
        """Clusters that something names, with the routes that lead to them."""
        found: dict[str, list[RoutedWay]] = {}
        for way in self._ways.ways:
            found.setdefault(way.cluster.string("a cluster"), []).append(way)
            if way.cluster.text not in self._clusters:
                self._ways.note(f"the cluster {way.cluster.text} is in none of the files",
                                way.cluster)  # fmt: skip
        for name in self._named():
            found.setdefault(name, [])
        return found

    def _named(self) -> Iterator[str]:
        """Clusters that Envoy itself asks: for settings, limits, traces. That a cluster names
        itself among its hosts says nothing."""
        start = self._proxy.bootstrap
        others = [part for key, part in start.items() if key not in _OWN] if start else []
        for value in [*self._proxy.listeners, *others]:
            for each in mappings(value):
                for key in _NAMING:
                    named = each.raw.get(key) if isinstance(each.raw, dict) else None
                    if named is not None and named.text:
                        yield named.text

    # -- whom it reaches -----------------------------------------------------------------------

    def _of_cluster(
        self, cluster: EnvoyCluster, asked: dict[str, list[RoutedWay]]
    ) -> Iterator[Statement]:
        value = cluster.value
        if cluster.is_own or cluster.is_passed_through:
            what = "whoever was addressed" if cluster.is_passed_through else "beside Envoy itself"
            yield Remark(f"the cluster {cluster.name} is {what}, and no element", value.place)
            return
        element = self._elements[cluster.name]
        yield ElementPlace(element).is_a(Service, value.place)
        yield Promised(element, value.place)
        doubt = "" if cluster.name in asked else "no listener in the files leads to the cluster"
        for host, port in cluster.hosts:
            yield KnownAs(element, host.text, "", host.place)
            number = port.whole("port_value") if port is not None else None
            address = Address(host.text.rstrip("."), number)
            said = f"the cluster {cluster.name}"
            yield Reaches(self._element, address, ANYWHERE, said, host.place, doubt=doubt)
        yield from self._hints(cluster, element, asked.get(cluster.name, []))
        yield from self._toward(cluster)
        others = cluster.unheld()
        if others:
            yield Remark(f"the cluster {cluster.name}: a client has no word for "
                         f"{', '.join(others)}", value.place)  # fmt: skip

    def _hints(
        self, cluster: EnvoyCluster, element: str, ways: Sequence[RoutedWay]
    ) -> Iterator[Hint]:
        for way in ways:
            if way.product:
                said = f"Envoy's filter for {way.product}"
                yield Hint(element, way.product, said, SCHEME, way.cluster.place)
        by_port = cluster.port_hint()
        if by_port is not None:
            product, port = by_port
            yield Hint(element, product, f"the port {port.text}", PORT, port.place)

    # -- how -----------------------------------------------------------------------------------

    def _toward(self, cluster: EnvoyCluster) -> Iterator[Statement]:
        balanced_by = "mesh" if self._is_sidecar else "proxy"
        for path, value, place in cluster.client():
            yield from self._each_host(cluster, (path, value, place))
            if path == ("balancing",):
                yield from self._each_host(cluster, (("balanced_by",), balanced_by, place))
        pool = cluster.pool()
        for host, _ in cluster.hosts:
            if pool is not None:
                yield Toward(host.text, ANYWHERE, ("size",), pool[0], pool[1].place, self._element,
                             "pools")  # fmt: skip

    def _each_host(self, cluster: EnvoyCluster, said: SaidOf) -> Iterator[Toward]:
        path, value, place = said
        for host, _ in cluster.hosts:
            yield Toward(host.text, ANYWHERE, path, value, place, self._element)

    def _mesh(self) -> Iterator[Statement]:
        """A sidecar is a mesh; hosts that keep failing are left out of calls to all, or to some."""
        others = [each for each in self._clusters.values() if not each.is_own]
        watched = [found for each in others if (found := each.outliers()) is not None]
        mesh = ElementPlace(self._element).inside("mesh")
        if self._is_sidecar or (watched and len(watched) == len(others)):
            yield mesh.is_a(Mesh, watched[0].place if watched else self._place)
            yield mesh.says("product", "envoy", watched[0].place if watched else self._place)
        if watched and len(watched) == len(others):
            yield mesh.says("outlier_detection", True, watched[0].place)
        elif watched:
            yield Remark("outlier_detection is said for some of the clusters; a mesh has one word "
                         "for all", watched[0].place)  # fmt: skip

    def _rules(self) -> Iterator[Statement]:
        """What the routes say, where all that lead to a host say the same."""
        found: dict[tuple[str, str, str], list[Rules]] = {}
        for way in self._ways.ways:
            cluster = self._clusters.get(way.cluster.text)
            if cluster is None:
                continue
            said = list(way.said)
            if any(path == ("retry", "attempts") for path, _, _ in said):
                said += cluster.budget()
            for host, _ in cluster.hosts:
                key = self._element, host.text, ANYWHERE
                found.setdefault(key, []).append(Rules(tuple(said)))
        yield from same_for_all(found, self._element)


importer = EnvoyImporter()
