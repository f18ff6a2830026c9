"""The compiled engine, the one part of the project that is not described in pyproject.toml.

It is optional: where there is no C compiler, or with ARCHCHECK_WITHOUT_ENGINE=1, everything else
is installed and simulations run on SimPy. ARCHCHECK_CFLAGS adds flags of the compiler.
"""

import os
import sys

from setuptools import Extension, setup

FAST = "src/archcheck/simulation/engines/fast"
FLAGS = (
    []
    if sys.platform == "win32"
    # No fused multiplication and addition: both engines must round alike on every processor.
    else ["-O3", "-ffp-contract=off", "-fno-strict-aliasing", "-Wno-unused-function"]
)

ENGINE = Extension(
    "archcheck.simulation.engines.fast._engine",
    sources=[f"{FAST}/_engine.pyx"],
    include_dirs=[FAST],
    extra_compile_args=FLAGS + os.environ.get("ARCHCHECK_CFLAGS", "").split(),
    extra_link_args=os.environ.get("ARCHCHECK_LDFLAGS", "").split(),
    optional=True,
)

setup(ext_modules=[] if os.environ.get("ARCHCHECK_WITHOUT_ENGINE") == "1" else [ENGINE])
