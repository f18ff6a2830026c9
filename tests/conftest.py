"""No test is about time: how fast something is, benchmarks say."""

from hypothesis import settings

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
