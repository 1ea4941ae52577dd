"""Tilt images of a scene: projected by RELION itself, then given noise, a background and dark images.

relion_tomo_predict_tilt_series applies the CTF, the dose weighting and the geometry, so the images do not rest on our
own formulas of either.
"""
from pathlib import Path
from typing import Dict, List

import mrcfile
import numpy as np
import pandas as pd

from ..star import write_star
from ..star.trajectories import write_trajectories
from ..whole import take_space
from .motion import trajectories
from .parameters import SceneParameters
from .particle import Blobs, barrel, sample, two_lobes
from .relion_run import SimulationError, run_relion
from .scene import DECOY, PARTICLE, Scene, stream

_DARK_FRACTION = 0.02
_OWN_COLUMNS = ('stated_shift_x_px', 'stated_shift_y_px', 'stated_defocus_u', 'stated_defocus_v', 'acquisition',
                'dark')


def species(parameters: SceneParameters) -> Dict[int, Blobs]:
    """The density of each kind of pick that has one (rlnClassNumber -> Gaussians)."""
    return {PARTICLE: two_lobes(parameters.diameter, parameters.detail, parameters.detail_sigma),
            DECOY: barrel(0.85 * parameters.diameter)}


def projection_box(parameters: SceneParameters) -> int:
    """Pixels of the box in which a particle is projected: a multiple of 16 with half a diameter to spare."""
    return 16 * int(np.ceil(1.5 * parameters.diameter / parameters.pixel / 16))


def alignment_columns(series: pd.DataFrame, stack: str, pixel: float, stated: bool = False) -> pd.DataFrame:
    """The tilt-series STAR table of the kept images, in stack order.

    stack: the stack as it is called from RELION's working directory. stated: with the alignment and defocus that the
    data set claims in place of the true ones.
    """
    kept = series[~series['dark']]
    table = kept.drop(columns=list(_OWN_COLUMNS))
    table.insert(0, 'rlnMicrographName', [f'{section + 1}@{stack}:mrcs' for section in kept.index])
    if stated:
        table['rlnTomoXShiftAngst'] = kept['stated_shift_x_px'] * pixel
        table['rlnTomoYShiftAngst'] = kept['stated_shift_y_px'] * pixel
        table['rlnDefocusU'], table['rlnDefocusV'] = kept['stated_defocus_u'], kept['stated_defocus_v']
    return table.reset_index(drop=True)


def tomogram_columns(parameters: SceneParameters, names: List[str], folder: str) -> pd.DataFrame:
    """The rows of tomograms.star; folder: where the tilt-series STAR files lie, from RELION's working directory."""
    p = parameters
    return pd.DataFrame({
        'rlnTomoName': names, 'rlnTomoTiltSeriesStarFile': [f'{folder}/{name}.star' for name in names],
        'rlnVoltage': p.voltage, 'rlnSphericalAberration': p.spherical_aberration,
        'rlnAmplitudeContrast': p.amplitude_contrast, 'rlnMicrographOriginalPixelSize': p.pixel, 'rlnTomoHand': p.hand,
        'rlnOpticsGroupName': 'optics1', 'rlnTomoTiltSeriesPixelSize': p.pixel,
        'rlnTomoSizeX': p.tomogram_size[0], 'rlnTomoSizeY': p.tomogram_size[1], 'rlnTomoSizeZ': p.tomogram_size[2],
        'rlnTomoTomogramBinning': float(p.tomogram_binning)})


def particles_blocks(parameters: SceneParameters, rows: pd.DataFrame) -> Dict[str, pd.DataFrame]:
    """Blocks of a particles STAR: the optics table (without one RELION crashes) and the rows."""
    p = parameters
    optics = pd.DataFrame({
        'rlnOpticsGroup': [1], 'rlnOpticsGroupName': ['optics1'], 'rlnVoltage': [p.voltage],
        'rlnSphericalAberration': [p.spherical_aberration], 'rlnAmplitudeContrast': [p.amplitude_contrast],
        'rlnTomoTiltSeriesPixelSize': [p.pixel]})
    return {'optics': optics, 'particles': rows}


def write_blank_stack(path: Path, size: tuple, count: int) -> None:
    """An empty float32 stack of `count` images of `size` (width, height): RELION opens it before it projects."""
    with mrcfile.new_mmap(str(path), (count, size[1], size[0]), mrc_mode=2, overwrite=True) as stack:
        take_space(path)
        stack.set_image_stack()


def project_series(scene: Scene, name: str, relion_bin: Path, folder: Path, threads: int = 1) -> Dict[int, np.ndarray]:
    """Noise-free tilt images of one series, each kind of particle apart: rlnClassNumber -> (kept images, Y, X).

    folder: an existing folder for RELION's files. The kept images are in tilt order, protein is dark, RELION's scale.
    """
    p, series = scene.parameters, scene.tilt_series[name]
    kept = int((~series['dark']).sum())
    write_blank_stack(folder / 'blank.mrc', p.image_size, len(series))
    write_star(folder / f'{name}.star', {name: alignment_columns(series, 'blank.mrc', p.pixel)})
    write_star(folder / 'tomograms.star', {'global': tomogram_columns(p, [name], '.')})
    moving = trajectories(scene, name)
    images = {}
    for kind, blobs in species(p).items():
        rows = scene.particles[(scene.particles['rlnTomoName'] == name) & (scene.particles['rlnClassNumber'] == kind)]
        if rows.empty:
            continue
        box = projection_box(p)
        write_star(folder / 'particles.star', particles_blocks(p, rows))
        if moving:
            write_trajectories(folder / 'motion.star', {one: moving[one] for one in rows['rlnTomoParticleName']})
        reference = folder / f'reference_{kind}.mrc'
        with mrcfile.new(str(reference), sample(blobs, box, p.pixel), overwrite=True) as mrc:
            mrc.voxel_size = p.pixel
        run_relion(relion_bin, 'relion_tomo_predict_tilt_series',
                   ['--p', 'particles.star', '--t', 'tomograms.star', '--ref1', reference.name, '--ref2',
                    reference.name, '--b', str(box), '--tn', name, '--o', f'projected_{kind}.mrc', '--j', str(threads)]
                   + (['--mot', 'motion.star'] if moving else []),
                   folder, folder / 'relion.log')
        with mrcfile.open(str(folder / f'projected_{kind}.mrc')) as mrc:
            images[kind] = np.array(mrc.data, dtype=np.float32)
        if images[kind].shape != (kept, p.image_size[1], p.image_size[0]) or not images[kind].any():
            raise SimulationError(f'relion_tomo_predict_tilt_series made images of shape {images[kind].shape} for '
                                  f'{name}, not {(kept, p.image_size[1], p.image_size[0])} with signal; see '
                                  f'{folder / "relion.log"}')
    return images


def signal_power(images: np.ndarray, parameters: SceneParameters, least_damaged: int) -> float:
    """Mean squared signal per pixel inside a particle's disc, in the least damaged image of the particles alone."""
    disc = np.pi * (parameters.diameter / parameters.pixel / 2) ** 2
    return float(np.sum(images[least_damaged].astype(np.float64) ** 2)) / parameters.particles / disc


def finish_images(scene: Scene, name: str, images: Dict[int, np.ndarray]) -> np.ndarray:
    """The raw tilt series (all images, Y, X), float32, in tilt order: signal, noise, background, dark images.

    Grey values are electrons per pixel: the background is dose x pixel^2 (cos(tilt) thins it), the noise its square
    root, the same in every image, and the signal is scaled to the SNR that the parameters ask for.
    """
    p, series = scene.parameters, scene.tilt_series[name]
    noise = stream(p, p.series_names.index(name), 'noise')
    kept = np.flatnonzero(~series['dark'].to_numpy())
    least_damaged = int(np.argmin(series['rlnMicrographPreExposure'].to_numpy()[kept]))
    electrons = p.dose * p.pixel ** 2
    scale = np.sqrt(p.snr * electrons / signal_power(images[PARTICLE], p, least_damaged))
    stack = noise.standard_normal((len(series), p.image_size[1], p.image_size[0])).astype(np.float32)
    dark = series['dark'].to_numpy()
    stack[dark] = stack[dark] * np.sqrt(_DARK_FRACTION * electrons) + _DARK_FRACTION * electrons
    thinning = np.cos(np.radians(series['rlnTomoYTilt'].to_numpy()[kept])).astype(np.float32)
    stack[kept] = stack[kept] * np.sqrt(electrons) + electrons * thinning[:, None, None]
    for signal in images.values():
        stack[kept] += scale * signal
    return stack
