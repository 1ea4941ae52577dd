"""One tilt series of another program, in plain numbers with their units."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pandas as pd

IMAGE_COLUMNS = ('section', 'nominal_tilt', 'acquisition_order', 'dose', 'pre_exposure', 'aligned', 'tilt', 'rot',
                 'x_shift_px', 'y_shift_px', 'defocus_u', 'defocus_v', 'defocus_angle', 'phase_shift_deg', 'ctf_cc',
                 'ctf_resolution')


@dataclass(frozen=True, eq=False)
class TiltSeriesRecord:
    """A tilt series with its alignment, CTF, dose and tomogram.

    ts_id: name of the series.
    stack, even_stack, odd_stack: MRC files with all raw images, in the order of `images`.
    pixel_size: Angstrom per pixel of the unbinned motion-corrected images (those of `stack`).
    image_size: nx, ny in those pixels. n_raw: number of images in the stack, dark ones included.
    images: one row per raw image in stack order, columns IMAGE_COLUMNS:
        section            number of the image in the stack, from 1
        nominal_tilt       stage tilt, deg, without alpha offset
        acquisition_order  from 1
        dose               e/A2 of this image
        pre_exposure       e/A2 before this image (exclusive), over all raw images, dark ones included
        aligned            False for images that were left out of the alignment (dark)
        tilt, rot          deg; RELION's rlnTomoYTilt and rlnTomoZRot; NaN where not aligned
        x_shift_px, y_shift_px  px of the raw images; times pixel_size they are rlnTomoXShiftAngst and Y; NaN likewise
        defocus_u, defocus_v    Angstrom, U >= V, positive is under focus; defocus_angle deg, direction of U
        phase_shift_deg    deg
        ctf_cc, ctf_resolution  score of the CTF fit, and Angstrom up to which it is good
    raw = R(rot) aligned + shift, both from the image centre (index N/2), R(a) = [[cos a, -sin a], [sin a, cos a]].
    voltage kV, cs mm, amplitude_contrast as fraction.
    tilt_axis: deg, counter-clockwise from the image's Y axis, of the aligned image with the smallest tilt.
    tomogram, even_tomogram, odd_tomogram: MRC files, None where there are none.
    voxel_size: Angstrom of the tomogram, from the sizes of images and tomogram. tomogram_size: nx, ny, nz of the file.
    flip_vol: 0: the file's axes are X, Z, Y; 1: X, Y, Z, oriented as RELION's tomograms; 2: X, Y, Z with Z mirrored.
    hand: suggestion for rlnTomoHand, 1 or -1; hand_reason says why.
    alpha_offset: deg, added to the stage tilt in `tilt` (unless a warning says that it was not); beta_offset: deg,
    only reported; thickness: unbinned px, None where unknown.
    local_alignment: True where the program also used local shifts, which RELION cannot express.
    software: facts about the program: name, version, section_numbers, session.
    warnings: sentences for the user.
    """

    ts_id: str
    stack: Path
    pixel_size: float
    image_size: Tuple[int, int]
    n_raw: int
    images: pd.DataFrame
    voltage: float
    cs: float
    amplitude_contrast: float
    tilt_axis: float
    hand: int
    hand_reason: str
    even_stack: Optional[Path] = None
    odd_stack: Optional[Path] = None
    tomogram: Optional[Path] = None
    even_tomogram: Optional[Path] = None
    odd_tomogram: Optional[Path] = None
    voxel_size: Optional[float] = None
    tomogram_size: Optional[Tuple[int, int, int]] = None
    flip_vol: Optional[int] = None
    alpha_offset: float = 0.
    beta_offset: float = 0.
    thickness: Optional[float] = None
    local_alignment: bool = False
    software: Dict[str, str] = field(default_factory=dict)
    warnings: List[str] = field(default_factory=list)

    @property
    def n_aligned(self) -> int:
        """Number of aligned images."""
        return int(self.images['aligned'].sum())
