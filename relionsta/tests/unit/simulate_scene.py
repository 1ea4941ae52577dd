"""The scene of the simulation's tests: it has something of everything."""
from relionsta.simulate.parameters import SceneParameters

RICH = SceneParameters(particles=25, tilts=15, decoys=5, empty_picks=4, dark_images=2, tilt_shift_error=3.0,
                       defocus_error=(1200., -900.), phase_shift=30.0)
BOX, PIXEL = 32, 7.0
