"""Amounts as people say them."""


def bytes_text(number: float) -> str:
    """Bytes as people say them: 0 bytes, 12.3 kB, 3.4 GB."""
    for unit, size in (('TB', 1e12), ('GB', 1e9), ('MB', 1e6), ('kB', 1e3)):
        if number >= size:
            return '%.3g %s' % (number / size, unit)
    return '%d bytes' % number
