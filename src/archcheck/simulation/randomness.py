"""Random numbers that do not depend on the order in which things happen.

Every draw is a pure function of (seed, place, request): the *stream* of a place is a hash of the
seed and the place's name, the *key* of a request is its lineage (its entry number, then the step
and the attempt of each call). Adding a service, or changing what happens elsewhere, leaves the
draws of all other places as they were: common random numbers for free.

The generator is SplitMix64 used as a hash (Steele, Lea and Flood, Fast Splittable Pseudorandom
Number Generators, 2014); any engine can compute it in a few integer instructions.
"""

from __future__ import annotations

import math
from hashlib import blake2b

MASK = 0xFFFF_FFFF_FFFF_FFFF
_GOLDEN = 0x9E37_79B9_7F4A_7C15
_FIRST = 0xBF58_476D_1CE4_E5B9
_SECOND = 0x94D0_49BB_1331_11EB


def mix(value: int) -> int:
    """SplitMix64's finalizer: a 64-bit permutation without visible structure."""
    value = (value + _GOLDEN) & MASK
    value = ((value ^ (value >> 30)) * _FIRST) & MASK
    value = ((value ^ (value >> 27)) * _SECOND) & MASK
    return value ^ (value >> 31)


def place_hash(name: str) -> int:
    """64 bits that identify a place by its name, the same in every process."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def stream(seed: int, place: int) -> int:
    """The stream of a place under a seed."""
    return mix(mix(seed & MASK) ^ place)


def child(key: int, place: int, attempt: int) -> int:
    """The key of the request that attempt ``attempt`` at a step makes.

    ``mix(mix(key ^ place) + attempt)``, written out because every call and every draw needs one.
    Two rounds: with a single one, keys that count up make queues longer than theory says.
    """
    value = ((key ^ place) + _GOLDEN) & MASK
    value = ((value ^ (value >> 30)) * _FIRST) & MASK
    value = ((value ^ (value >> 27)) * _SECOND) & MASK
    value = ((value ^ (value >> 31)) + attempt + _GOLDEN) & MASK
    value = ((value ^ (value >> 30)) * _FIRST) & MASK
    value = ((value ^ (value >> 27)) * _SECOND) & MASK
    return value ^ (value >> 31)


def uniform(stream_: int, key: int, draw: int = 0) -> float:
    """A number in the open interval (0, 1); ``draw`` counts the numbers that one place needs."""
    return ((child(stream_, key, draw) >> 11) + 0.5) * 2.0**-53


def normal(stream_: int, key: int, draw: int = 0) -> float:
    """A standard normal number (Box and Muller, 1958); uses draws ``draw`` and ``draw + 1``."""
    radius = math.sqrt(-2.0 * math.log(uniform(stream_, key, draw)))
    return radius * math.cos(2.0 * math.pi * uniform(stream_, key, draw + 1))
