"""What every test run shares.

No test is about time: how fast something is, benchmarks say. ``make test`` and ``make thorough``
draw (nearly) the same systems each time, so that a change is judged by what it changes;
``make attack`` and ``HYPOTHESIS_PROFILE=attack make test`` draw new ones. ``depth`` says what is
thorough.
"""

import os

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, derandomize=True)
settings.register_profile("attack", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
