"""How fast the converters are, beside those of scipion-em-reliontomo: `make bench`."""
