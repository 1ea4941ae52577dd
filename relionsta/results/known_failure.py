"""What a failure is that we recognise."""
import re
from dataclasses import dataclass
from typing import Pattern


@dataclass(frozen=True)
class KnownFailure:
    """A failure that we recognise. name: for programs and tests; cause and remedy: sentences for people.

    weak: its words also come in what follows from another failure, or in warnings, so any other in the log counts more.
    """

    name: str
    pattern: Pattern[str]
    cause: str
    remedy: str
    weak: bool = False


def known(name: str, pattern: str, cause: str, remedy: str, weak: bool = False) -> KnownFailure:
    """One of them; pattern: a regular expression, in any case of letters."""
    return KnownFailure(name, re.compile(pattern, re.IGNORECASE), cause, remedy, weak)
