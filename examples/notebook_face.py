"""A model in a notebook or a script: findings, results and pictures are objects."""

from pathlib import Path

from archcheck.loading import load
from archcheck.units import s

(shop,) = load(Path(__file__).parent / "checkout.py")

for finding in shop.verify().result.findings:
    print(finding.severity, finding.rule.id, finding.subject)

result = shop.simulate("peak", duration=30 * s).result
print(f"{result.bottleneck.name} is the bottleneck: {result.bottleneck.utilisation:.0%} busy")
