"""Capacity under uncertainty: the worst load, admission, rollouts, the cheapest sizes."""
