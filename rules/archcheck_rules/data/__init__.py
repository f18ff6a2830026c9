"""Data (DAT)."""
