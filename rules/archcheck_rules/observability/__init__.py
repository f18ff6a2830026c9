"""Monitoring and logging (OBS)."""
