"""A repository has the same services several times: for development, released, patched."""

from __future__ import annotations

from pathlib import Path

from archcheck import MongoDB, MySQL, Redis, Service, SpringBoot
from archcheck.importing import Import, import_paths


def deployment(name: str, *, namespace: str = "", kind: str = "Deployment", extra: str = "") -> str:
    where = f", namespace: {namespace}" if namespace else ""
    return f"""
---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}{where}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: {name}, image: "shop/{name}", {extra}}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}{where}}}
spec: {{selector: {{app: {name}}}}}
"""


def imported(folder: Path, **files: str) -> Import:
    for name, text in files.items():
        path = folder / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return import_paths([folder])


def names(found: Import) -> set[str]:
    return {element.name for element in found.system.elements}


def test_another_kind_of_workload_is_the_same_one_in_a_variant(tmp_path: Path) -> None:
    found = imported(
        tmp_path, a__yaml=deployment("queue"), b__yaml=deployment("queue", kind="StatefulSet")
    )
    assert names(found) == {"queue"}
    assert [c.kept.path for c in found.joined.conflicts] == [("deployment", "kind")]


def test_no_namespace_is_the_namespace_of_a_variant(tmp_path: Path) -> None:
    found = imported(
        tmp_path,
        a__yaml=deployment("web", extra='env: [{name: API_URL, value: "http://api"}]')
        + deployment("api"),
        b__yaml=deployment("web", namespace="prod") + deployment("api", namespace="prod"),
    )
    assert names(found) == {"web", "api"}
    assert [(e.source, e.target) for e in found.joined.edges] == [("web", "api")]


def test_two_namespaces_are_two_elements(tmp_path: Path) -> None:
    found = imported(
        tmp_path,
        a__yaml=deployment("web", namespace="a") + deployment("web", namespace="b"),
    )
    assert names(found) == {"a/web", "b/web"}


def test_addresses_of_a_variant_are_candidates(tmp_path: Path) -> None:
    """A service that reaches the stores of two variants at once is one that nobody runs."""
    url = 'env: [{{name: DB, value: "mysql://{}/x"}}]'
    found = imported(
        tmp_path,
        a__yaml=deployment("web", extra=url.format("live")) + deployment("live"),
        b__yaml=deployment("web", extra=url.format("local")) + deployment("local"),
    )
    assert [(e.source, e.target) for e in found.joined.edges] == [("web", "live")]
    [candidate] = found.joined.candidates
    assert candidate.targets == ("local",)
    assert isinstance(found.system.find("live"), MySQL)


def test_shallow_folders_count_before_deep_ones(tmp_path: Path) -> None:
    found = imported(
        tmp_path,
        extras___more___a__yaml=deployment("web").replace("shop/web", "shop/web:old"),
        manifests___z__yaml=deployment("web"),
    )
    [conflict] = found.joined.conflicts
    assert conflict.kept.value == "shop/web"


def test_patches_of_kustomize_are_left_out(tmp_path: Path) -> None:
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 9}\n"
    found = imported(
        tmp_path,
        base___web__yaml=deployment("web"),
        a___kustomization__yaml="resources: [../base]\npatches: [{path: more.yaml}]\n",
        a___more__yaml=patch,
    )
    web = found.system.find("web")
    assert isinstance(web, Service)
    assert web.deployment is not None
    assert web.deployment.replicas is None
    reasons = {Path(path).name: reason for path, reason in found.skipped}
    assert "a patch of Kustomize" in reasons["more.yaml"]
    assert "its manifests are read as they lie" in reasons["kustomization.yaml"]


def test_compose_projects_of_several_folders(tmp_path: Path) -> None:
    service = (
        "services:\n  {0}: {{image: shop/{0}, environment: [DB_HOST=db]}}\n  db: {{image: {1}}}\n"
    )
    found = imported(
        tmp_path,
        orders___compose__yaml=service.format("orders", "mongo:7"),
        users___compose__yaml=service.format("users", "redis:7"),
    )
    assert names(found) == {"orders", "orders/db", "users", "users/db"}
    assert isinstance(found.system.find("orders/db"), MongoDB)
    assert isinstance(found.system.find("users/db"), Redis)
    edges = {(e.source, e.target) for e in found.joined.edges}
    assert edges == {("orders", "orders/db"), ("users", "users/db")}


def test_a_project_below_one_with_the_same_services_is_left_out(tmp_path: Path) -> None:
    found = imported(
        tmp_path,
        compose__yaml="services: {orders: {build: orders}, db: {image: 'mongo:7'}}",
        orders___compose__yaml="services: {orders: {build: .}, cache: {image: redis}}",
    )
    assert names(found) == {"orders", "db"}
    assert "another Compose project" in found.skipped[0][1]


def test_names_are_the_weakest_sign_of_a_product(tmp_path: Path) -> None:
    text = "services: {a-mysql: {image: x/one}, backup-mysql: {image: x/two}, mysql-ui: {image: y}}"
    found = imported(tmp_path, compose__yaml=text)
    kinds = {element.name: type(element) for element in found.system.elements}
    assert kinds == {"a-mysql": MySQL, "backup-mysql": Service, "mysql-ui": Service}


def test_manifests_of_a_part_do_not_hide_the_compose_file(tmp_path: Path) -> None:
    services = ", ".join(f"s{number}: {{image: x}}" for number in range(6))
    found = imported(
        tmp_path,
        compose__yaml=f"services: {{{services}, db: {{image: mongo}}}}",
        k8s___db__yaml=deployment("db"),
    )
    assert len(found.system.elements) == 7
    assert not found.skipped


def test_scratch_is_no_storage(tmp_path: Path) -> None:
    mounted = "volumeMounts: [{name: t, mountPath: /tmp/x}, {name: d, mountPath: /data}]"
    volumes = "volumes: [{name: t, emptyDir: {}}, {name: d, emptyDir: {}}], containers:"
    found = imported(
        tmp_path,
        a__yaml=deployment("web", extra=mounted).replace("containers:", volumes),
        compose__yaml="services: {one: {image: x, tmpfs: [/tmp, /var/run:rw, /cache]}}",
    )
    kept = {
        element.name: [volume.name for volume in element.deployment.volumes]  # type: ignore[attr-defined]
        for element in found.system.elements
    }
    assert kept == {"web": ["d"], "one": ["/cache"]}


def test_the_kind_in_a_name_is_no_part_of_it(tmp_path: Path) -> None:
    """``cart-deployment`` and the service ``cart`` of a Compose file are one, and so are the
    settings of the application ``cart``."""
    labelled = deployment("cart").replace(
        "name: cart}\nspec:\n  t", "name: cart-deployment}\nspec:\n  t"
    )
    found = imported(
        tmp_path,
        k8s__yaml=labelled + deployment("web") + deployment("web-deployment"),
        compose__yaml="services: {cart: {image: shop/cart}, web: {image: shop/web}}",
        cart___src___application__properties="spring.application.name=cart",
    )
    assert names(found) == {"cart", "web", "web-deployment"}
    cart = found.system.find("cart")
    assert isinstance(cart, Service)
    assert isinstance(cart.runtime, SpringBoot)
    assert any(path.endswith("compose.yaml") for path, _ in found.skipped)
