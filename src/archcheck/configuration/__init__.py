"""What a team chooses: the settings, and where they are written down."""

from archcheck.configuration.reading import find, read
from archcheck.configuration.settings import (
    RANK,
    Override,
    Profile,
    Settings,
    check_patterns,
    is_target,
)

__all__ = ["RANK", "Override", "Profile", "Settings", "check_patterns", "find", "is_target", "read"]
