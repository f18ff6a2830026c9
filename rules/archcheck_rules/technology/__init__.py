"""Frameworks and tools (TEC)."""
