"""The rule catalogue of archcheck: one rule a file, by concern, on the public API only."""
