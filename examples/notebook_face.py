"""A model in a notebook or a script: findings, results and pictures are objects."""

from pathlib import Path

import archcheck
from archcheck.loading import load
from archcheck.units import s

(shop,) = load(Path(__file__).parent / "checkout.py")

for finding in archcheck.verify(shop).findings:
    print(finding.severity, finding.rule.id, finding.subject)

result = archcheck.simulate(shop, "peak", duration=30 * s)
print(f"{result.bottleneck.name} is the bottleneck: {result.bottleneck.utilisation:.0%} busy")
