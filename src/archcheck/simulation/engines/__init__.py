"""Engines: each runs a plan and fills the same record."""
