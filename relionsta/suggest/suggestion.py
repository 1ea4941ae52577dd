"""What a suggestion is."""
from typing import Any, NamedTuple


class Suggested(NamedTuple):
    """A value for a parameter, and why, as part of a sentence."""

    value: Any
    reason: str

    def text(self) -> str:
        """Value and reason in one line."""
        value = '%g' % self.value if isinstance(self.value, float) else self.value
        return '%s: %s' % (value, self.reason)
