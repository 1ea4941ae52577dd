"""What convert/ raises when Scipion's objects and RELION's files do not fit together."""


class ConvertError(ValueError):
    """Names the object or file, the value and the fix, for the user to read."""
