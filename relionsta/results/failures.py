"""What RELION's error messages mean and what to do about them.

The patterns are words of the messages that RELION's programs print: most were seen when the programs of RELION 5.1 were made
to fail (tests/faults/provoked.py does so), the others are known from people's logs. The order matters only where two match
at one place.
"""
from typing import Tuple

from .failures_data import DATA_FAILURES
from .failures_machine import MACHINE_FAILURES
from .known_failure import KnownFailure as KnownFailure

KNOWN_FAILURES: Tuple[KnownFailure, ...] = DATA_FAILURES + MACHINE_FAILURES
