"""What a scene is made of: one value per choice, checked together before anything is made."""
import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Dict, List, Tuple

from .relion_run import SimulationError


def _number(default: Any, text: str) -> Any:
    """A field with its help text: the command line is made from these."""
    return field(default=default, metadata={'help': text})


@dataclass(frozen=True)
class SceneParameters:
    """Everything that decides a scene. Lengths in Å and angles in degrees unless the help text says otherwise."""

    series: int = _number(2, 'number of tilt series')
    particles: int = _number(36, 'particles in each tilt series')
    tilts: int = _number(15, 'tilt images in each series, dark ones included')
    tilt_step: float = _number(7.0, 'degrees between tilt images')
    tilt_axis: float = _number(84.5, 'tilt axis: degrees counter-clockwise from the Y axis of the image')
    alpha_offset: float = _number(1.5, 'tilt of the specimen in its holder: true tilt = stage tilt + this, degrees')
    image_size: Tuple[int, int] = _number((512, 480), 'width and height of the tilt images, pixels')
    pixel: float = _number(3.5, 'Å per pixel of the tilt images')
    thickness: int = _number(160, 'thickness of the tomogram, pixels of the tilt images')
    tomogram_binning: int = _number(4, 'binning of the reconstructed tomogram')
    snr: float = _number(0.07, "signal-to-noise ratio in a tilt image: the least damaged image's mean power within a "
                              "particle's disc / the noise's")
    hand: int = _number(-1, 'rlnTomoHand of the projection: -1 (AreTomo3) or 1')
    voltage: float = _number(300.0, 'kV')
    spherical_aberration: float = _number(2.7, 'mm')
    amplitude_contrast: float = _number(0.1, 'fraction')
    defocus: float = _number(27000.0, 'mean underfocus, Å')
    defocus_range: float = _number(12000.0, 'the underfocus of the series is spread evenly over this range, Å')
    defocus_tilt_rms: float = _number(400.0, 'how much the underfocus differs between tilts, Å')
    astigmatism: float = _number(400.0, 'defocus U - V, Å')
    phase_shift: float = _number(0.0, 'phase shift of a phase plate, degrees')
    dose: float = _number(3.0, 'dose of each tilt image, e/Å^2')
    tilt_shift_rms: float = _number(25.0, 'how far each tilt image is shifted (and the alignment corrects), Å')
    dark_images: int = _number(1, 'dark images in each series, which the alignment leaves out')
    diameter: float = _number(170.0, 'length of the particle, Å')
    detail: float = _number(1.0, 'mass of the fine detail in the particle, 1 for as much as in the demo')
    detail_sigma: float = _number(2.0, 'sigma of the Gaussians of the fine detail, Å')
    spacing: float = _number(185.0, 'least distance between particles, Å')
    decoys: int = _number(0, 'picks in each series on a clearly different species')
    empty_picks: int = _number(0, 'picks in each series on empty places')
    pick_angle_error: float = _number(7.0, 'jitter of the picked orientations: rms angle, degrees')
    pick_shift_error: float = _number(5.0, 'jitter of the picked positions, rms distance in Å; then they are rounded '
                                           'to voxels of the tomogram')
    defocus_error: Tuple[float, ...] = _number((0.0,), 'error of the defocus that the data set states, one per series, '
                                                       'repeated in turn, Å')
    tilt_shift_error: float = _number(0.0, 'error of the alignment that the data set states: rms of X and Y, Å')
    motion: float = _number(0.0, 'how fast each particle moves in the course of the exposure, which the data set does not '
                                 'tell: rms along each axis, Å per e/Å^2')
    motion_length: float = _number(2000.0, 'distance over which neighbouring particles move alike, Å')
    seed: int = _number(7, 'seed of every random choice')

    def __post_init__(self) -> None:
        # JSON and the command line give lists: equal scenes must compare equal.
        object.__setattr__(self, 'image_size', tuple(int(n) for n in self.image_size))
        object.__setattr__(self, 'defocus_error', tuple(float(n) for n in self.defocus_error))
        problems = self._problems()
        if problems:
            raise SimulationError('this scene cannot be made: ' + '; '.join(problems))

    def _problems(self) -> List[str]:
        found = [f'{name} is {getattr(self, name)}, it must be above 0' for name in
                 ('series', 'particles', 'pixel', 'snr', 'dose', 'diameter', 'tomogram_binning', 'tilt_step', 'voltage',
                  'motion_length')
                 if getattr(self, name) <= 0]
        found += [f'{name} is {getattr(self, name)}, it must not be negative' for name in
                  ('decoys', 'empty_picks', 'dark_images', 'pick_angle_error', 'pick_shift_error', 'tilt_shift_error',
                   'tilt_shift_rms') if getattr(self, name) < 0]
        if self.hand not in (-1, 1):
            found.append(f'hand is {self.hand}, it must be -1 or 1')
        if not self.defocus_error:
            found.append('defocus_error is empty: give at least one value, 0 for none')
        if self.tilts - self.dark_images < 3:
            found.append(f'{self.tilts} tilts with {self.dark_images} dark images leave fewer than 3: take more tilts')
        if self.tilts // 2 * self.tilt_step + abs(self.alpha_offset) > 80:
            found.append(f'{self.tilts} tilts every {self.tilt_step} degrees go beyond 80 degrees: take fewer or a '
                         'smaller step')
        if len(self.image_size) != 2:
            found.append(f'image_size has {len(self.image_size)} numbers: give a width and a height')
        step = 2 * max(1, self.tomogram_binning)
        for name, size in [('image_size', n) for n in self.image_size] + [('thickness', self.thickness)]:
            # Else the binned tomogram is smaller than the field it stands for and its voxel is no round number.
            if size < step or size % step:
                found.append(f'{name} {size} must be a multiple of {step} (2 x tomogram_binning)')
        return found

    def to_dict(self) -> Dict[str, Any]:
        """Plain values, as JSON keeps them."""
        return {name: list(value) if isinstance(value, tuple) else value
                for name, value in dataclasses.asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Dict[str, Any]) -> 'SceneParameters':
        """The parameters of `to_dict`; SimulationError names what is unknown."""
        unknown = sorted(set(values) - {item.name for item in dataclasses.fields(cls)})
        if unknown:
            raise SimulationError('unknown scene parameters: ' + ', '.join(unknown))
        return cls(**values)

    @property
    def tomogram_size(self) -> Tuple[int, int, int]:
        """X, Y, Z of the tomogram in tilt-series pixels: X and Y change places when the tilt axis lies nearer to X."""
        width, height = self.image_size
        if abs(math.sin(math.radians(self.tilt_axis))) > 0.707:
            width, height = height, width
        return width, height, self.thickness

    @property
    def voxel(self) -> float:
        """Å per voxel of the reconstructed tomogram."""
        return self.pixel * self.tomogram_binning

    @property
    def series_names(self) -> List[str]:
        return [f'TS_{number:02d}' for number in range(1, self.series + 1)]
