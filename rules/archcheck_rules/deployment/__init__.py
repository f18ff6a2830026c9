"""Deployment (DEP)."""
