"""Elasticity and recovery (RES)."""
