"""The scenes: what each one holds up to the converters. Every scene differs from the first in what its name says."""
from dataclasses import dataclass, replace
from typing import Optional, Tuple

# How the particles reach Scipion.
COORDINATES = 'coordinates'  # of another program, with orientations
SUBTOMOGRAMS = 'subtomograms'  # of another program, with shifts in their transforms
PICKS = 'imported picks'  # RELION's particles.star, imported as coordinates
PARTICLES = 'imported particles'  # RELION's particles.star as a set of particles

# Where a particles.star keeps the orientation.
PARTICLE, SUBTOMOGRAM, BOTH = 'rlnAngle*', 'rlnTomoSubtomogram*', 'both'

BOX = 48
DIAMETER = 20  # of the particle, pixels
THICKNESS = 160  # of the tomogram, pixels
TILTS = 11


@dataclass(frozen=True)
class Scene:
    """One data set. Lengths in pixels of the tilt images, angles in degrees, image numbers from 0 in tilt order.

    axis, axis_spread: tilt axis, and how far each image's is from it. x_tilt, x_tilt_spread: likewise. shift: how far
    images are shifted, at most. depth: how far rows of particles lie above and below the specimen's middle, at most, so
    that their defocus differs. image: width and height. pixel: Å. voltages: kV, one tilt series each. dark: images
    that the alignment left out; excluded, without_ctf: images that the user switched off in the tilt series, in the
    CTFs. binning: of the tomogram, whose sizes are odd where odd_volume. coordinates_binning: of the coordinates (None:
    the tomogram's). origin: how many voxels the middle of the tomogram lies beside the specimen's. route: how the
    particles reach Scipion; pose: where a particles.star has their orientation. dose: e/Å² per image.
    plain_contrast: images in focus, with amplitude contrast alone, so that no CTF needs to be corrected.
    rows: of particles, three in each, along the tilt axis.
    """
    name: str
    axis: float = 85.0
    axis_spread: float = 0.3
    hand: int = -1
    x_tilt: float = 0.0
    x_tilt_spread: float = 0.0
    shift: float = 8.0
    depth: float = 0.0
    image: Tuple[int, int] = (480, 360)
    pixel: float = 4.0
    voltages: Tuple[float, ...] = (300.0,)
    dark: Tuple[int, ...] = ()
    excluded: Tuple[int, ...] = ()
    without_ctf: Tuple[int, ...] = ()
    binning: float = 2.0
    odd_volume: bool = False
    coordinates_binning: Optional[float] = None
    origin: Tuple[float, float, float] = (0.0, 0.0, 0.0)
    route: str = COORDINATES
    pose: str = PARTICLE
    phase_shift: float = 0.0
    dose: float = 0.5
    plain_contrast: bool = False
    rows: int = 14

    @property
    def series_names(self) -> Tuple[str, ...]:
        return tuple('TS_%02d' % number for number in range(1, len(self.voltages) + 1))

    @property
    def amplitude_contrast(self) -> float:
        return 1.0 if self.plain_contrast else 0.1

    @property
    def left_out(self) -> Tuple[int, ...]:
        """Images that RELION must not see; they hold noise only."""
        return tuple(sorted({*self.dark, *self.excluded, *self.without_ctf}))

    def as_seen(self) -> 'Scene':
        """The scene with the same tilt images in which nothing else is special."""
        plain = Scene('')
        return replace(self, **{name: getattr(plain, name) for name in (
            'name', 'binning', 'odd_volume', 'coordinates_binning', 'origin', 'route', 'pose')})


UPRIGHT = (360, 480)
# Here a wrong hand shows: it changes the defocus by up to 900 Å.
THICK = Scene('', depth=225.0, image=(480, 740), pixel=2.0, voltages=(100.0,))

SCENES = (
    Scene('tilt axis 85°'),
    Scene('tilt axis 0°', axis=0.0, image=UPRIGHT),
    Scene('tilt axis −95°', axis=-95.0),
    Scene('tilt axis 180°', axis=180.0, image=UPRIGHT, axis_spread=0.0),
    Scene('tilt axis on both sides of ±180°', axis=180.0, image=UPRIGHT, axis_spread=2.0),
    Scene('tilt axis 40°', axis=40.0, image=(560, 560)),
    replace(THICK, name='hand −1, thick specimen, 100 kV, 2 Å/px'),
    replace(THICK, name='hand +1, thick specimen, 100 kV, 2 Å/px', hand=1),
    replace(THICK, name='hand +1, thick specimen, axis −95°', hand=1, axis=-95.0),
    Scene('X-tilt of 6°', x_tilt=6.0),
    Scene('X-tilt of its own in each image', x_tilt=-3.0, x_tilt_spread=4.0),
    Scene('shifts up to 70 pixels', shift=70.0, image=(640, 520)),
    Scene('two dark images', dark=(0, 4)),
    Scene('two views excluded, and a CTF', excluded=(3, 10), without_ctf=(7,)),
    Scene('odd images', image=(481, 363)),
    Scene('odd images, axis 0°', axis=0.0, image=(361, 483)),
    Scene('images wider than high, axis 0°', axis=0.0, image=(540, 440)),
    Scene('picked at binning 1', binning=1.0),
    Scene('picked at binning 4', binning=4.0),
    Scene('picked at binning 2.7', binning=2.7),
    Scene('odd tomogram, binning 4', binning=4.0, odd_volume=True),
    Scene('coordinates at binning 1, tomogram at 4', binning=4.0, coordinates_binning=1.0),
    Scene('coordinates at binning 6, tomogram at 2.7', binning=2.7, coordinates_binning=6.0),
    Scene('tomogram shifted in X', origin=(23.0, 0.0, 0.0)),
    Scene('tomogram shifted in Y', origin=(0.0, -31.0, 0.0)),
    Scene('tomogram shifted in Z', origin=(0.0, 0.0, 19.0)),
    Scene('tomogram shifted in X, Y and Z, odd, binning 4', binning=4.0, odd_volume=True, origin=(-7.0, 12.0, 9.0)),
    Scene('poses of subtomograms, with shifts', route=SUBTOMOGRAMS),
    Scene('pose in the particle, picks', route=PICKS),
    Scene('pose in the subtomogram, picks', route=PICKS, pose=SUBTOMOGRAM),
    Scene('pose in both, picks', route=PICKS, pose=BOTH),
    Scene('pose in both, picks, tomogram shifted', route=PICKS, pose=BOTH, origin=(9.0, -14.0, 6.0), binning=2.7),
    Scene('pose in the particle, particles', route=PARTICLES),
    Scene('pose in the subtomogram, particles', route=PARTICLES, pose=SUBTOMOGRAM),
    Scene('pose in both, particles', route=PARTICLES, pose=BOTH),
    Scene('two voltages', voltages=(300.0, 200.0)),
    Scene('phase plate', phase_shift=75.0),
    Scene('3 e/Å² per image', dose=3.0),
)
