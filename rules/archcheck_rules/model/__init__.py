"""The model itself (MOD)."""
