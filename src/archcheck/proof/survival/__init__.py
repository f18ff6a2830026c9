"""Survivability: which failures a journey survives, and how often it works."""
