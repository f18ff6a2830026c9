"""The version of this package, and its name where it is installed."""

__version__ = "0.1.0"
DISTRIBUTION = "archcheck-models"
