"""A simulated data set with a known answer: tilt series as AreTomo3 leaves them, picks, and the truth beside them."""
