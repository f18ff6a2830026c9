"""Performance and resources (PRF)."""
