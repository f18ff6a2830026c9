"""Service boundaries and responsibilities (BND)."""
