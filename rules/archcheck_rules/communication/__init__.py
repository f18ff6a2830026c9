"""Communication protocols and data formats (COM)."""
