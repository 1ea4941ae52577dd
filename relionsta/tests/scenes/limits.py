"""How near an average must come to the reference: correlation, pixels and degrees."""
CORRELATION, SHIFT, ANGLE = 0.99, 0.05, 0.05
