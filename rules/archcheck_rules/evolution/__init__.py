"""Evolution (EVO)."""
