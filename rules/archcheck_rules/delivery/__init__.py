"""Tests and delivery (DLV)."""
