"""A scene's tilt series as AreTomo3 (2.0.7 to 2.2) leaves it, and its picks as pytom-match-pick does.

Formats: AreTomo3's CSaveAlignFile.cpp (.aln), CSaveCtfResults.cpp (_CTF.txt), CTsPackage.cpp (_TLT.txt) and
CAreTomo3Json.cpp; pytom-match-pick's extract.py. The text functions return the whole file.
"""
import json
import math
from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd

from ..star import write_star
from .parameters import SceneParameters
from .project import alignment_columns, tomogram_columns
from .relion_run import SimulationError, run_relion
from .scene import ANGLES, Scene, jittered_picks

_CTF_HEADER = ('# Columns: #1 micrograph number; #2 - defocus 1 [A]; #3 - defocus 2; #4 - azimuth of astigmatism; '
               '#5 - additional phase shift [radian]; #6 - cross correlation; #7 - spacing (in Angstroms) up to which '
               'CTF rings were fit successfully; #8 - dfHand\n')


def aln_text(series: pd.DataFrame, parameters: SceneParameters) -> str:
    """The .aln: RawSize counts all images, rows are the kept ones, SEC is the 1-based section of the raw stack.

    TILT holds the alpha offset. TX, TY are pixels of the raw image.
    """
    width, height = parameters.image_size
    lines = ['# AreTomo Alignment / Priims bprmMn', f'# RawSize = {width} {height} {len(series)}', '# NumPatches = 0']
    lines += [f'# DarkFrame =  {index:4d} {index + 1:4d} {tilt:8.2f}'
              for index, tilt in series.loc[series['dark'], 'rlnTomoYTilt'].items()]
    lines += [f'# AlphaOffset = {parameters.alpha_offset:8.2f}', f'# BetaOffset = {0:8.2f}',
              f'# Thickness = {parameters.thickness}',
              '# SEC     ROT         GMAG       TX          TY      SMEAN     SFIT    SCALE     BASE     TILT']
    lines += ['%5d  %9.4f  %9.5f  %9.3f  %9.3f  %7.2f  %7.2f  %7.2f  %7.2f  %8.2f' %
              (index + 1, axis, 1, x, y, 1, 1, 1, 0, tilt)
              for index, axis, x, y, tilt in series.loc[~series['dark'], [
                  'rlnTomoZRot', 'stated_shift_x_px', 'stated_shift_y_px', 'rlnTomoYTilt']].itertuples()]
    return '\n'.join(lines) + '\n'


def ctf_text(series: pd.DataFrame, parameters: SceneParameters) -> str:
    """The _CTF.txt: a row for every raw image, dark ones included; the phase shift in radians; 8 columns.

    dfHand 1 belongs to rlnTomoHand -1, the hand of AreTomo3's .aln.
    """
    rows = series[['stated_defocus_u', 'stated_defocus_v', 'rlnDefocusAngle', 'rlnPhaseShift', 'dark']]
    return _CTF_HEADER + ''.join(
        '%4d   %8.2f  %8.2f  %8.2f  %9.4f  %8.4f  %8.4f  %3d\n' %
        (index + 1, u, v, angle, math.radians(phase), 0.01 if dark else 0.12,
         20 * parameters.pixel if dark else 3 * parameters.pixel, -parameters.hand)
        for index, u, v, angle, phase, dark in rows.itertuples())


def tlt_text(series: pd.DataFrame, parameters: SceneParameters) -> str:
    """The _TLT.txt, all images: stage tilt (no alpha offset), 1-based acquisition number, dose of the image (e/Å^2)."""
    return ''.join('%8.2f %4d %8.2f\n' % (tilt, number, parameters.dose) for _, tilt, number in
                   series[['rlnTomoNominalStageTiltAngle', 'acquisition']].itertuples())


def session_text(parameters: SceneParameters) -> str:
    """The AreTomo3_Session.json: FlipVol 1 gives tomograms in RELION's orientation."""
    p = parameters
    values = {
        'InSuffix': '.mdoc', 'InSkips': [], 'PixSize': p.pixel, 'kV': int(p.voltage), 'Cs': p.spherical_aberration,
        'FmDose': p.dose, 'Cmd': 0, 'McBin': 1.0, 'AlignZ': p.thickness, 'VolZ': p.thickness,
        'AtBin': [float(p.tomogram_binning), 0.0, 0.0],
        # The second number below 0 forbids AreTomo3 to turn the axis by 180 degrees where it finds dfHand -1.
        'TiltAxis': [p.tilt_axis, 1.0 if p.hand == -1 else -1.0], 'TiltCor': [1.0, 0.0], 'AtPatch': [0, 0],
        'FlipVol': 1, 'Wbp': 1, 'OutImod': 0, 'AmpContrast': p.amplitude_contrast, 'ExtPhase': [p.phase_shift, 0.0]}
    session = {'software': {'name': 'AreTomo3', 'version': '2.2.2'}, 'input': {'InPrefix': 'simulated'},
               'output': {'OutDir': '.'}, 'parameters': values, 'Comment': 'a simulated data set, made by relionsta'}
    return json.dumps(session, indent=5) + '\n'


def write_stack(path: Path, stack: np.ndarray, pixel: float) -> None:
    """The raw tilt series as a float32 image stack with its pixel size (Å)."""
    with mrcfile.new(str(path), stack.astype(np.float32), overwrite=True) as mrc:
        mrc.set_image_stack()
        mrc.voxel_size = pixel


def reconstruct_tomogram(scene: Scene, name: str, relion_bin: Path, stack: str, folder: Path, threads: int = 1) -> Path:
    """Reconstruct one binned tomogram with the alignment that the data set states; returns the volume's path.

    stack: the raw stack as seen from `folder`, an existing folder for RELION's files.
    """
    p = scene.parameters
    table = alignment_columns(scene.tilt_series[name], stack, p.pixel, stated=True)
    write_star(folder / f'{name}.star', {name: table})
    write_star(folder / 'stated_tomograms.star', {'global': tomogram_columns(p, [name], '.')})
    width, height, thickness = p.tomogram_size
    volume = folder / 'reconstructed' / 'tomograms' / f'rec_{name}.mrc'
    run_relion(relion_bin, 'relion_tomo_reconstruct_tomogram',
               ['--t', 'stated_tomograms.star', '--tn', name, '--o', 'reconstructed/', '--w', str(width),
                '--h', str(height), '--d', str(thickness), '--bin', str(p.tomogram_binning), '--j', str(threads)],
               folder, folder / 'relion.log')
    expected = tuple(size // p.tomogram_binning for size in (thickness, height, width))
    with mrcfile.open(str(volume), mode='r+') as mrc:
        if mrc.data.shape != expected:
            raise SimulationError(f'relion_tomo_reconstruct_tomogram made {volume} of {mrc.data.shape} voxels '
                                  f'(Z, Y, X), not {expected}')
        mrc.set_volume()
        mrc.voxel_size = p.voxel
    return volume


def picks_table(scene: Scene, name: str) -> pd.DataFrame:
    """The picks of one tomogram in pytom-match-pick's default columns, best score first.

    rlnCoordinate*: 0-based voxel of the binned tomogram, whole numbers; rlnMicrographName: the tomogram's file stem.
    """
    voxels, angles, scores = jittered_picks(scene, name)
    table = pd.DataFrame({
        'rlnCoordinateX': voxels[:, 0], 'rlnCoordinateY': voxels[:, 1], 'rlnCoordinateZ': voxels[:, 2],
        **{column: angles[:, axis].round(4) for axis, column in enumerate(ANGLES)},
        'rlnLCCmax': scores.round(5), 'rlnCutOff': 0.18, 'rlnSearchStd': 0.03,
        'rlnDetectorPixelSize': scene.parameters.voxel, 'rlnMicrographName': f'{name}_Vol'})
    return table.sort_values('rlnLCCmax', ascending=False, kind='stable', ignore_index=True)
