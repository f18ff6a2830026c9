"""Images are pinned to a version.

Why it matters: ``latest`` is a different program every week. Two replicas of one deployment then
run different code, and going back is not possible because nobody knows to what.

A tag without a digit (``latest``, ``stable``, ``alpine``) is taken to move, and so is one
that only has the version of its distribution (``alpine3.19``). Datastores and brokers
without a deployment are taken to be run by somebody else.

How to fix: name a version or a digest: ``image="shop/orders:1.8.2"``.

False positives: none; a development environment does not belong in this model.

Sources: kube-linter, latest-tag; kube-score, container-image-tag; kubernetes.io, Images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcheck import Deployment, Kubernetes, Managed, Named, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

_MOVING = frozenset({"latest", "stable", "nightly", "edge", "main", "master", "dev", "lts"})
"""Words that registries and pipelines put on whatever is newest."""

_BUILD = re.compile(r"[0-9a-f]{7,64}|[0-9]{4,}")
"""A commit, or the number or date of a build: ``main-3f2a1bc`` never moves."""

_FLAVOUR = re.compile(r"(alpine|debian|ubuntu|centos|fedora|ubi|el)[0-9.]+")
"""The version of the distribution below, which says nothing about the program."""

rule = Rule("DEP001", "mutable-image", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for member in graph.system.elements:
        deployment = getattr(member, "deployment", None)
        if isinstance(deployment, Deployment) and not isinstance(deployment, Managed):
            yield from _judge(member, deployment)
        elif isinstance(member, Service) and deployment is None:
            yield Undecided(member, "deployment")


def _judge(member: Named, deployment: Deployment) -> Iterator[Result]:
    if deployment.image is None:
        yield Undecided(member, "deployment.image")
        return
    tag = _tag(deployment.image)
    if tag is None or _moves(tag):
        what = f"the moving tag {tag!r}" if tag else "no tag, which means latest"
        yield Violation(
            member,
            f"the image {deployment.image} of {member.name} has {what}",
            fix=f'image="{deployment.image.removesuffix(f":{tag}")}:VERSION"',
            cause="images are not pinned to a version",
        )


def _moves(tag: str) -> bool:
    """Whether the next build may get the same tag: a word for the newest, or no version at all."""
    parts = [part for part in re.split(r"[-_]", tag.lower()) if not _FLAVOUR.fullmatch(part)]
    words = [word for part in parts for word in part.split(".")]
    if any(_BUILD.fullmatch(word) for word in words):
        return False
    return bool(_MOVING.intersection(words)) or not any(c.isdigit() for part in parts for c in part)


def _tag(image: str) -> str | None:
    """The tag, or the digest, which is as good; a colon before a slash belongs to a port."""
    if "@" in image:
        return image.rpartition("@")[2]
    name = image.rpartition("/")[2]
    return name.partition(":")[2] or None


def _image(image: str | None) -> System:
    return System("shop", [Service("orders", deployment=Kubernetes(image=image))])


@rule.bad("orders")
def the_latest() -> System:
    return _image("shop/orders:latest")


@rule.bad("orders")
def no_tag_at_all() -> System:
    return _image("registry:5000/shop/orders")


@rule.bad("orders")
def only_the_flavour() -> System:
    return _image("redis:alpine")


@rule.bad("orders")
def the_newest_for_one_processor() -> System:
    return _image("shop/orders:latest-arm64")


@rule.good
def a_version() -> System:
    return _image("registry:5000/shop/orders:1.8.2")


@rule.unknown("deployment.image")
def no_image_is_declared() -> System:
    return _image(None)


@rule.borderline()
def a_provider_runs_what_it_runs() -> System:
    return System("shop", [Service("orders", deployment=Managed("cloud run"))])


@rule.borderline()
def a_digest_is_as_good_as_a_version() -> System:
    return _image("registry:5000/shop/orders@sha256:0a1b")


@rule.borderline()
def a_version_with_a_flavour() -> System:
    return _image("redis:7-alpine")


@rule.borderline()
def the_commit_of_a_branch() -> System:
    return _image("shop/orders:main-3f2a1bc")


@rule.unknown("deployment")
def no_deployment_is_declared() -> System:
    return System("shop", [Service("orders")])


@rule.bad("orders")
def only_the_version_of_its_distribution() -> System:
    return _image("node:alpine3.19")
