"""What must be in RELION's tomography STAR files, and checks of all that RELION would take in silence.

RELION runs without a word on a tilt series that lacks its alignment (undefined projections), on visible frames of the
wrong length, on odd tomogram sizes (half a pixel off) and on particles with rlnMicrographName (poses go to the wrong
particles); it crashes without a message where optics or half sets are missing. Each check here names the file, the
block, the column, the first value that is wrong and what to do.
"""
import re
from typing import Any, Callable, Mapping, Optional

import numpy as np
import pandas as pd

from relionsta.names import particle_trouble, path_trouble, series_trouble, suspects
from relionsta.star.checks import (
    Where,
    check_each,
    check_names,
    check_not_empty,
    check_numbers,
    check_texts,
    first_repeated,
    row_number,
)
from relionsta.star.tables import StarError, require_columns

OPTIMISATION_SET_COLUMNS = ('rlnTomoParticlesFile', 'rlnTomoTomogramsFile', 'rlnTomoTrajectoriesFile',
                            'rlnTomoManifoldsFile')

SIZE_COLUMNS = ('rlnTomoSizeX', 'rlnTomoSizeY', 'rlnTomoSizeZ')
MICROSCOPE_COLUMNS = ('rlnVoltage', 'rlnSphericalAberration', 'rlnAmplitudeContrast', 'rlnTomoTiltSeriesPixelSize')
TOMOGRAM_COLUMNS = ('rlnTomoName', 'rlnTomoTiltSeriesStarFile', *MICROSCOPE_COLUMNS, 'rlnTomoHand', *SIZE_COLUMNS)

ALIGNMENT_COLUMNS = ('rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst')
DEFOCUS_COLUMNS = ('rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle')
TILT_SERIES_COLUMNS = ('rlnMicrographName', 'rlnMicrographPreExposure', *ALIGNMENT_COLUMNS, *DEFOCUS_COLUMNS)

OPTICS_COLUMNS = ('rlnOpticsGroup', 'rlnOpticsGroupName', *MICROSCOPE_COLUMNS)
IMAGE_OPTICS_COLUMNS = ('rlnImageSize', 'rlnImagePixelSize', 'rlnImageDimensionality',
                        'rlnCtfDataAreCtfPremultiplied', 'rlnTomoSubtomogramBinning')
COORDINATE_COLUMNS = ('rlnCenteredCoordinateXAngst', 'rlnCenteredCoordinateYAngst', 'rlnCenteredCoordinateZAngst')
# RELION 4: in tilt-series pixels from the tomogram's corner; RELION 5 still reads them.
CORNER_COORDINATE_COLUMNS = ('rlnCoordinateX', 'rlnCoordinateY', 'rlnCoordinateZ')
ORIGIN_COLUMNS = ('rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst')
ANGLE_COLUMNS = ('rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi')
SUBTOMOGRAM_ANGLE_COLUMNS = ('rlnTomoSubtomogramRot', 'rlnTomoSubtomogramTilt', 'rlnTomoSubtomogramPsi')

# Beyond this difference RELION calls the values of two tables inconsistent.
_SAME = 1e-3


def check_tomograms(tomograms: pd.DataFrame, path: Where = None) -> None:
    """Raise StarError unless block data_global of a tomograms.star can be used by every subtomogram job.

    Checked: columns; unique names; numbers; pixel sizes above 0; sizes in tilt-series pixels that are even integers
    above 0; rlnTomoHand of 1 or -1; a tilt-series file for each.
    """
    block = 'global'
    require_columns(tomograms, TOMOGRAM_COLUMNS, path, block)
    check_not_empty(tomograms, path, block)
    check_texts(tomograms, ('rlnTomoName', 'rlnTomoTiltSeriesStarFile'), path, block)
    check_numbers(tomograms, (*MICROSCOPE_COLUMNS, 'rlnTomoHand', *SIZE_COLUMNS), path, block)
    check_names(tomograms['rlnTomoName'].astype(str), series_trouble, path, block)
    check_names(tomograms['rlnTomoTiltSeriesStarFile'].astype(str), path_trouble, path, block)
    twice = first_repeated(tomograms['rlnTomoName'].tolist())
    if twice is not None:
        raise StarError(path, f'rlnTomoName {twice} is there twice; give each tomogram its own name', block)
    check_each(tomograms, 'rlnTomoTiltSeriesPixelSize', lambda value: value > 0, 'must be above 0 (Å)', path, block)
    check_each(tomograms, 'rlnVoltage', lambda value: value > 0, 'must be above 0 (kV)', path, block)
    check_each(tomograms, 'rlnTomoHand', lambda value: np.abs(value) == 1, 'must be 1 or -1', path, block)
    for column in SIZE_COLUMNS:
        check_each(tomograms, column, lambda value: (value > 0) & (value % 2 == 0),
                   'must be an even number of tilt-series pixels above 0 (an odd size puts particles half a pixel '
                   'off): write the next even size', path, block)


def check_tilt_series(tilt_series: pd.DataFrame, name: str, path: Where = None, ctf: bool = True,
                      whole_stack: bool = False) -> None:
    """Raise StarError unless a tilt-series table, block data_<name> of its file, can be used.

    ctf: the defocus is needed (by all jobs but a tomogram reconstruction without CTF). whole_stack: tomograms.star
    names the stack in rlnTomoTiltSeriesName, so rlnMicrographName may be absent.

    Checked: columns; numbers; pre-exposures that are not negative and differ between images (RELION orders images by
    them and takes the dose of an image from their difference); each image there once, in a stack that RELION knows.
    """
    # Files of RELION 4 and Warp hold projection matrices instead; RELION converts them when it reads them.
    has_matrices = all('rlnTomoProj' + axis in tilt_series for axis in 'XYZW')
    columns = ('rlnMicrographPreExposure', *(() if whole_stack else ('rlnMicrographName',)),
               *(() if has_matrices else ALIGNMENT_COLUMNS), *(DEFOCUS_COLUMNS if ctf else ()))
    require_columns(tilt_series, columns, path, name)
    check_not_empty(tilt_series, path, name)
    check_numbers(tilt_series, ('rlnMicrographPreExposure', 'rlnTomoXTilt', *ALIGNMENT_COLUMNS, *DEFOCUS_COLUMNS,
                                'rlnPhaseShift', 'rlnCtfScalefactor', 'rlnCtfBfactor'), path, name)
    check_each(tilt_series, 'rlnMicrographPreExposure', lambda value: value >= 0,
               'is the dose before the image (e/Å²) and cannot be negative', path, name)
    twice = first_repeated(tilt_series['rlnMicrographPreExposure'].tolist())
    if twice is not None:
        raise StarError(path, f'two images have the same rlnMicrographPreExposure, {twice}; RELION orders images and '
                              'weights doses by it: give the dose per image and the order of acquisition', name)
    if 'rlnMicrographName' in tilt_series:
        _check_image_names(tilt_series['rlnMicrographName'].astype(str), path, name)


def _check_image_names(names: pd.Series, path: Where, block: str) -> None:
    check_texts(names.to_frame(), (str(names.name),), path, block)
    twice = first_repeated(names.tolist())
    if twice is not None:
        raise StarError(path, f'the image {twice} is there twice in rlnMicrographName; keep one row for each image',
                        block)
    check_names(names.str.replace(r'^\d+@', '', regex=True), path_trouble, path, block)
    stacked = names[names.str.contains('@', regex=False)]
    wrong = stacked[~stacked.str.contains(r'^0*[1-9]\d*@.+(?:\.mrcs|\.st|:mrcs)$', regex=True)]
    if len(wrong):
        raise StarError(path, f'rlnMicrographName {wrong.iloc[0]} is no image of a stack for RELION; images count from '
                              '1, and a stack ends in .mrcs or .st, or has :mrcs added (1@series.mrc:mrcs)', block)


def check_particles(blocks: Mapping[str, pd.DataFrame], path: Where = None, tomograms: Optional[pd.DataFrame] = None,
                    tilts: Optional[Mapping[str, int]] = None, optics: bool = False, images: bool = False,
                    halves: bool = False, unique_names: bool = True) -> None:
    """Raise StarError unless the blocks of a particles STAR (see read_star) can be used.

    tomograms: block `global` of the tomograms.star that goes with it, to compare names and microscope values.
    tilts: tomogram name -> number of rows of its tilt-series table, to check rlnTomoVisibleFrames.
    optics: an optics table is needed (CTF refinement, polishing, all of relion_refine). images: extracted images are
    needed (relion_refine, reconstruction from them). halves: rlnRandomSubset is needed (CTF refinement, polishing,
    half maps). unique_names: rlnTomoParticleName must differ (particles expanded by symmetry share theirs).
    """
    if 'particles' not in blocks:
        raise StarError(path, f'the block data_particles is missing (there: {", ".join(blocks) or "none"}); '
                              'choose a particles file')
    particles, block = blocks['particles'], 'particles'
    has_corner = all(column in particles for column in CORNER_COORDINATE_COLUMNS)
    require_columns(particles, ('rlnTomoName', *(() if has_corner else COORDINATE_COLUMNS)), path, block)
    check_not_empty(particles, path, block)
    check_texts(particles, ('rlnTomoName',), path, block)
    check_particle_names(particles, path)
    if 'rlnMicrographName' in particles:
        raise StarError(path, 'the column rlnMicrographName must not be there: RELION sorts by it and gives poses to '
                              'the wrong particles; remove the column', block)
    check_numbers(particles, (*COORDINATE_COLUMNS, *CORNER_COORDINATE_COLUMNS, *ORIGIN_COLUMNS, *ANGLE_COLUMNS,
                              *SUBTOMOGRAM_ANGLE_COLUMNS), path, block)
    if unique_names and 'rlnTomoParticleName' in particles:
        twice = first_repeated(particles['rlnTomoParticleName'].tolist())
        if twice is not None:
            raise StarError(path, f'rlnTomoParticleName {twice} is there twice; keep one row for each particle', block)
    if halves:
        _check_halves(particles, path, block)
    if tomograms is not None:
        unknown = particles['rlnTomoName'][~particles['rlnTomoName'].isin(tomograms['rlnTomoName'])]
        if len(unknown):
            raise StarError(path, f'rlnTomoName {unknown.iloc[0]} ({len(unknown)} particles) is not in the tomograms '
                                  f'file (there: {", ".join(map(str, tomograms["rlnTomoName"][:5]))}); choose the '
                                  'tomograms that these particles belong to', block)
    if 'optics' in blocks:
        _check_optics(blocks['optics'], particles, path, tomograms)
    elif optics or images:
        raise StarError(path, 'the block data_optics is missing, without which RELION crashes; extract the particles '
                              'again, or add it')
    if images:
        _check_images(blocks, path, tilts)


def check_particle_names(particles: pd.DataFrame, path: Where = None) -> None:
    """Raise StarError where RELION would make folders of the names of particles or tomograms that are elsewhere, or would
    give them to a shell. particles: with rlnTomoName, and perhaps rlnTomoParticleName."""
    check_names(particles['rlnTomoName'].astype(str), series_trouble, path, 'particles')
    if 'rlnTomoParticleName' in particles:
        _check_many_names(particles['rlnTomoParticleName'].astype(str), particle_trouble, path, 'particles')


def _check_many_names(names: 'pd.Series[Any]', trouble: Callable[[str], str], path: Where, block: str) -> None:
    """As check_names, quick where a million of them are right."""
    if suspects(names.tolist()):
        check_names(names, trouble, path, block)


def _check_halves(particles: pd.DataFrame, path: Where, block: str) -> None:
    require_columns(particles, ('rlnRandomSubset',), path, block)
    check_each(particles, 'rlnRandomSubset', lambda value: (value == 1) | (value == 2), 'must be 1 or 2', path, block)
    if particles['rlnRandomSubset'].nunique() < 2:
        raise StarError(path, f'rlnRandomSubset is {particles["rlnRandomSubset"].iloc[0]} for all particles; both '
                              'half sets, 1 and 2, are needed: refine again to split them', block)


def _check_optics(optics: pd.DataFrame, particles: pd.DataFrame, path: Where,
                  tomograms: Optional[pd.DataFrame]) -> None:
    require_columns(optics, OPTICS_COLUMNS, path, 'optics')
    check_not_empty(optics, path, 'optics')
    require_columns(particles, ('rlnOpticsGroup',), path, 'particles')
    check_numbers(optics, ('rlnOpticsGroup', *MICROSCOPE_COLUMNS), path, 'optics')
    twice = first_repeated(optics['rlnOpticsGroup'].tolist())
    if twice is not None:
        raise StarError(path, f'rlnOpticsGroup {twice} is there twice; number the groups 1, 2, 3...', 'optics')
    unknown = particles['rlnOpticsGroup'][~particles['rlnOpticsGroup'].isin(optics['rlnOpticsGroup'])]
    if len(unknown):
        raise StarError(path, f'rlnOpticsGroup {unknown.iloc[0]} ({len(unknown)} particles) is not in block '
                              'data_optics; add its row there', 'particles')
    if tomograms is None:
        return
    pairs = particles[['rlnTomoName', 'rlnOpticsGroup']].drop_duplicates()
    scopes = tomograms.set_index('rlnTomoName').loc[pairs['rlnTomoName']]
    groups = optics.set_index('rlnOpticsGroup').loc[pairs['rlnOpticsGroup']]
    for column in MICROSCOPE_COLUMNS:
        here, there = groups[column].to_numpy(dtype=np.float64), scopes[column].to_numpy(dtype=np.float64)
        wrong = np.flatnonzero(np.abs(here - there) > _SAME)
        if len(wrong):
            group, tomogram = pairs['rlnOpticsGroup'].iloc[wrong[0]], pairs['rlnTomoName'].iloc[wrong[0]]
            raise StarError(path, f'{column} is {here[wrong[0]]:g} in optics group {group}, but {there[wrong[0]]:g} in '
                                  f'the tomograms file for {tomogram}; make both the same', 'optics')


def _check_images(blocks: Mapping[str, pd.DataFrame], path: Where, tilts: Optional[Mapping[str, int]]) -> None:
    particles, optics = blocks['particles'], blocks['optics']
    require_columns(optics, IMAGE_OPTICS_COLUMNS, path, 'optics')
    require_columns(particles, ('rlnImageName', *COORDINATE_COLUMNS), path, 'particles')
    check_texts(particles, ('rlnImageName',), path, 'particles')
    _check_many_names(particles['rlnImageName'].astype(str), lambda name: path_trouble(re.sub(r'^\d+@', '', name)), path,
                      'particles')
    check_each(optics, 'rlnImageSize', lambda value: (value > 0) & (value % 2 == 0),
               'must be an even number of pixels: extract with an even box', path, 'optics')
    check_each(optics, 'rlnImagePixelSize', lambda value: value > 0, 'must be above 0 (Å)', path, 'optics')
    check_each(optics, 'rlnImageDimensionality', lambda value: (value == 2) | (value == 3), 'must be 2 or 3', path,
               'optics')
    flat = optics['rlnImageDimensionality'].iloc[0] == 2
    if optics['rlnImageDimensionality'].nunique() > 1:
        raise StarError(path, 'rlnImageDimensionality differs between groups: 2D stacks and 3D subtomograms cannot be '
                              'mixed; extract all particles in one way', 'optics')
    stacks = blocks['general'].get('rlnTomoSubTomosAre2DStacks') if 'general' in blocks else None
    if stacks is not None and bool(stacks.iloc[0]) != bool(flat):
        raise StarError(path, f'rlnTomoSubTomosAre2DStacks is {stacks.iloc[0]}, but rlnImageDimensionality in '
                              f'data_optics is {2 if flat else 3}; extract the particles again', 'general')
    if flat and stacks is None:
        raise StarError(path, 'block data_general with rlnTomoSubTomosAre2DStacks 1 is missing; extract the particles '
                              'again')
    if not flat:
        require_columns(particles, ('rlnCtfImage',), path, 'particles')
        return
    require_columns(particles, ('rlnTomoVisibleFrames',), path, 'particles')
    _check_visible_frames(particles, path, tilts)


def _check_visible_frames(particles: pd.DataFrame, path: Where, tilts: Optional[Mapping[str, int]]) -> None:
    frames: 'pd.Series[str]' = particles['rlnTomoVisibleFrames'].map(str)
    wrong = np.flatnonzero(~frames.str.contains(r'^\[[01](?:,[01])*\]$', regex=True).to_numpy(dtype=bool))
    if len(wrong):
        raise StarError(path, f'rlnTomoVisibleFrames is {frames.iloc[wrong[0]]} in row {row_number(frames, wrong[0])}; it '
                              'must be a list of 1 and 0 such as [1,0,1]: extract the particles again', 'particles')
    if tilts is None:
        return
    known = particles['rlnTomoName'].isin(list(tilts))
    counts = frames.str.count(',') + 1
    expected = particles['rlnTomoName'].map(dict(tilts))
    bad = np.flatnonzero((known & (counts != expected)).to_numpy(dtype=bool))
    if len(bad):
        row = bad[0]
        name = particles['rlnTomoName'].iloc[row]
        raise StarError(path, f'rlnTomoVisibleFrames has {counts.iloc[row]} values in row {row_number(frames, row)}, but '
                              f'tilt series {name} has {tilts[name]} images; choose the tomograms with which the '
                              'particles were extracted, or extract them again', 'particles')
