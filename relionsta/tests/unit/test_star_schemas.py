"""Checks of STAR tables that RELION would take in silence."""
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
import pandas as pd
import pytest

from relionsta.star.schemas import check_particles, check_tilt_series, check_tomograms
from relionsta.star.tables import StarError, read_star
from relionsta.tests.find import shared_data

Blocks = Dict[str, pd.DataFrame]


def tomograms() -> pd.DataFrame:
    return pd.DataFrame({'rlnTomoName': ['TS_01', 'TS_02'],
                         'rlnTomoTiltSeriesStarFile': ['a/TS_01.star', 'a/TS_02.star'],
                         'rlnVoltage': 300.0, 'rlnSphericalAberration': 2.7, 'rlnAmplitudeContrast': 0.1,
                         'rlnTomoTiltSeriesPixelSize': 1.35, 'rlnTomoHand': -1.0, 'rlnTomoSizeX': 4092,
                         'rlnTomoSizeY': 5760, 'rlnTomoSizeZ': [2000, 1500]})


def tilt_series() -> pd.DataFrame:
    return pd.DataFrame({'rlnMicrographName': [f'{row}@TS_01.mrc:mrcs' for row in (1, 2, 3)],
                         'rlnMicrographPreExposure': [3.0, 0.0, 6.0], 'rlnTomoYTilt': [-3.0, 0.0, 3.0],
                         'rlnTomoZRot': 85.0, 'rlnTomoXShiftAngst': 0.0, 'rlnTomoYShiftAngst': 1.0,
                         'rlnDefocusU': 21000.0, 'rlnDefocusV': 20000.0, 'rlnDefocusAngle': 12.0})


def particles() -> Blocks:
    """Extracted 2D stacks, refined."""
    return {
        'general': pd.DataFrame({'rlnTomoSubTomosAre2DStacks': [1]}),
        'optics': pd.DataFrame({'rlnOpticsGroup': [1], 'rlnOpticsGroupName': ['optics1'], 'rlnVoltage': [300.0],
                                'rlnSphericalAberration': [2.7], 'rlnAmplitudeContrast': [0.1],
                                'rlnTomoTiltSeriesPixelSize': [1.35], 'rlnCtfDataAreCtfPremultiplied': [1],
                                'rlnImageDimensionality': [2], 'rlnTomoSubtomogramBinning': [2.0],
                                'rlnImagePixelSize': [2.7], 'rlnImageSize': [64]}),
        'particles': pd.DataFrame({'rlnTomoName': ['TS_01', 'TS_02'], 'rlnTomoParticleName': ['TS_01/1', 'TS_02/1'],
                                   'rlnCenteredCoordinateXAngst': [1.0, 2.0], 'rlnCenteredCoordinateYAngst': 0.0,
                                   'rlnCenteredCoordinateZAngst': 0.0, 'rlnAngleRot': 0.0, 'rlnOpticsGroup': 1,
                                   'rlnTomoVisibleFrames': ['[1,0,1]', '[1,1]'], 'rlnRandomSubset': [1, 2],
                                   'rlnImageName': ['a/1_stack2d.mrcs', 'a/2_stack2d.mrcs']})}


def check_all(blocks: Blocks) -> None:
    check_particles(blocks, 'p.star', tomograms(), {'TS_01': 3, 'TS_02': 2}, optics=True, images=True, halves=True)


def test_good_tables_pass() -> None:
    """Prevents checks that stop good data; a minimal particles file needs no optics and no images."""
    check_tomograms(tomograms())
    check_tilt_series(tilt_series(), 'TS_01')
    check_all(particles())
    minimal = particles()['particles'][['rlnTomoName', 'rlnCenteredCoordinateXAngst', 'rlnCenteredCoordinateYAngst',
                                        'rlnCenteredCoordinateZAngst']]
    check_particles({'particles': minimal}, tomograms=tomograms())
    corner = pd.DataFrame({'rlnTomoName': ['TS_01'], **{'rlnCoordinate' + axis: [1.0] for axis in 'XYZ'}})
    check_particles({'particles': corner})
    whole = tilt_series().drop(columns=['rlnMicrographName', 'rlnDefocusU'])
    check_tilt_series(whole, 'TS_01', ctf=False, whole_stack=True)
    matrices = tilt_series().drop(columns=['rlnTomoYTilt', 'rlnTomoZRot'])
    check_tilt_series(matrices.assign(**{'rlnTomoProj' + axis: '[1,0,0,0]' for axis in 'XYZW'}), 'TS_01')


def test_real_tables_pass() -> None:
    """Prevents checks that stop what RELION itself wrote, at every stage of a real project."""
    project = shared_data('relion5-hiv-project')
    counts = {}
    global_table = read_star(project / 'Polish/job030/tomograms.star')['global']
    check_tomograms(global_table)
    for path in sorted(project.glob('Polish/job030/tilt_series/*.star')):
        for name, table in read_star(path).items():
            check_tilt_series(table, name, path)
            counts[name] = len(table)
    assert len(counts) == 5
    check_particles(read_star(project / 'Picks/job019/particles.star'), tomograms=global_table)
    path = project / 'Refine3D/job034/run_data.star'
    check_particles(read_star(path), path, global_table, counts, optics=True, images=True, halves=True)


def set_to(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The table with the value in the last row of the column (a new one if need be)."""
    def change(table: pd.DataFrame) -> pd.DataFrame:
        values = list(table[column]) if column in table else [value] * len(table)
        return table.assign(**{column: pd.Series(values[:-1] + [value], index=table.index)})
    return change


def drop(column: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.drop(columns=column)


@pytest.mark.parametrize('change, message', [
    (drop('rlnTomoHand'), 'data_global: the column rlnTomoHand is missing'),
    (drop('rlnTomoSizeZ'), 'rlnTomoSizeZ is missing'),
    (drop('rlnTomoTiltSeriesStarFile'), 'rlnTomoTiltSeriesStarFile is missing'),
    (lambda table: table.iloc[:0], 'there are no rows'),
    (set_to('rlnTomoSizeX', 4093), 'rlnTomoSizeX is 4093 in row 2; it must be an even number'),
    (set_to('rlnTomoSizeY', 5760.5), 'rlnTomoSizeY is 5760.5 in row 2'),
    (set_to('rlnTomoSizeZ', -999), 'rlnTomoSizeZ is -999'),
    (set_to('rlnTomoSizeZ', 0), 'rlnTomoSizeZ is 0'),
    (set_to('rlnTomoName', 'TS_01'), 'rlnTomoName TS_01 is there twice'),
    (set_to('rlnTomoName', ''), 'rlnTomoName is empty in row 2'),
    (set_to('rlnTomoHand', 0.0), 'rlnTomoHand is 0 in row 2; it must be 1 or -1'),
    (set_to('rlnTomoTiltSeriesPixelSize', 0.0), 'rlnTomoTiltSeriesPixelSize is 0'),
    (set_to('rlnVoltage', np.nan), r'rlnVoltage is nan in row 2 \(1 of 2 rows\), no number')])
def test_tomograms_that_relion_takes_in_silence(change: Callable[[pd.DataFrame], pd.DataFrame], message: str) -> None:
    """Prevents half-pixel shifts, inverted or absent defocus gradients, crashes without a message."""
    with pytest.raises(StarError, match=message) as caught:
        check_tomograms(change(tomograms()), 'tomograms.star')
    assert str(caught.value).startswith('tomograms.star, block data_global: ')


@pytest.mark.parametrize('change, message', [
    (drop('rlnTomoYTilt'), 'the column rlnTomoYTilt is missing'), (drop('rlnTomoZRot'), 'rlnTomoZRot is missing'),
    (drop('rlnTomoXShiftAngst'), 'rlnTomoXShiftAngst is missing'), (drop('rlnDefocusV'), 'rlnDefocusV is missing'),
    (drop('rlnMicrographName'), 'rlnMicrographName is missing'), (lambda table: table.iloc[:0], 'no rows'),
    (set_to('rlnTomoYTilt', np.nan), 'rlnTomoYTilt is nan in row 3'),
    (set_to('rlnTomoXShiftAngst', 'None'), 'rlnTomoXShiftAngst is None in row 3'),
    (set_to('rlnDefocusU', np.inf), 'rlnDefocusU is inf in row 3'),
    (set_to('rlnMicrographPreExposure', 0.0), 'two images have the same rlnMicrographPreExposure, 0.0'),
    (set_to('rlnMicrographPreExposure', -3.0), 'rlnMicrographPreExposure is -3 in row 3'),
    (set_to('rlnMicrographName', '1@TS_01.mrc:mrcs'), 'the image 1@TS_01.mrc:mrcs is there twice'),
    (set_to('rlnMicrographName', '3@TS_01.mrc'), '3@TS_01.mrc is no image of a stack'),
    (set_to('rlnMicrographName', '3@TS_01.st:mrc'), '3@TS_01.st:mrc is no image of a stack'),
    (set_to('rlnMicrographName', '0@TS_01.mrc:mrcs'), 'images count from 1'),
    (set_to('rlnMicrographName', ''), 'rlnMicrographName is empty in row 3')])
def test_tilt_series_that_relion_takes_in_silence(change: Callable[[pd.DataFrame], pd.DataFrame], message: str) -> None:
    """Prevents undefined projections, and dose weights that are the same for all images."""
    with pytest.raises(StarError, match=message) as caught:
        check_tilt_series(change(tilt_series()), 'TS_01', 'TS_01.star')
    assert str(caught.value).startswith('TS_01.star, block data_TS_01: ')


@pytest.mark.parametrize('name', ['single.mrc', '000003@TS_01.mrcs', '3@TS_01.st', '3@TS_01.st:mrcs'])
def test_names_of_images_that_relion_knows(name: str) -> None:
    """Prevents a check that refuses series which RELION reads."""
    check_tilt_series(set_to('rlnMicrographName', name)(tilt_series()), 'TS_01')


@pytest.mark.parametrize('block, change, message', [
    ('particles', drop('rlnTomoName'), 'data_particles: the column rlnTomoName is missing'),
    ('particles', drop('rlnCenteredCoordinateYAngst'), 'rlnCenteredCoordinateYAngst is missing'),
    ('particles', lambda table: table.iloc[:0], 'there are no rows'),
    ('particles', set_to('rlnMicrographName', 'm'), 'rlnMicrographName must not be there'),
    ('particles', set_to('rlnAngleRot', np.nan), 'rlnAngleRot is nan in row 2'),
    ('particles', set_to('rlnTomoName', 'TS_9'), r'rlnTomoName TS_9 \(1 particles\) is not in the tomograms file'),
    ('particles', set_to('rlnTomoParticleName', 'TS_01/1'), 'rlnTomoParticleName TS_01/1 is there twice'),
    ('particles', set_to('rlnRandomSubset', 1), 'both half sets'),
    ('particles', set_to('rlnRandomSubset', 3), 'rlnRandomSubset is 3 in row 2; it must be 1 or 2'),
    ('particles', drop('rlnRandomSubset'), 'rlnRandomSubset is missing'),
    ('particles', set_to('rlnOpticsGroup', 2), r'rlnOpticsGroup 2 \(1 particles\) is not in block data_optics'),
    ('particles', drop('rlnOpticsGroup'), 'rlnOpticsGroup is missing'),
    ('particles', set_to('rlnTomoVisibleFrames', '[1,0,1]'),
     'rlnTomoVisibleFrames has 3 values in row 2, but tilt series TS_02 has 2 images'),
    ('particles', set_to('rlnTomoVisibleFrames', '[1;0]'), r'rlnTomoVisibleFrames is \[1;0\] in row 2'),
    ('particles', drop('rlnTomoVisibleFrames'), 'rlnTomoVisibleFrames is missing'),
    ('particles', drop('rlnImageName'), 'rlnImageName is missing'),
    ('particles', set_to('rlnImageName', 'None'), 'rlnImageName is empty in row 2'),
    ('optics', None, 'the block data_optics is missing'), ('particles', None, 'the block data_particles is missing'),
    ('general', None, 'block data_general with rlnTomoSubTomosAre2DStacks 1 is missing'),
    ('general', set_to('rlnTomoSubTomosAre2DStacks', 0), 'rlnTomoSubTomosAre2DStacks is 0, but rlnImageDim'),
    ('optics', set_to('rlnVoltage', 200.0),
     'rlnVoltage is 200 in optics group 1, but 300 in the tomograms file for TS_01'),
    ('optics', set_to('rlnSphericalAberration', 2.0), 'rlnSphericalAberration is 2 in'),
    ('optics', set_to('rlnAmplitudeContrast', 0.07), 'rlnAmplitudeContrast is 0.07 in'),
    ('optics', set_to('rlnTomoTiltSeriesPixelSize', 1.352), 'rlnTomoTiltSeriesPixelSize is 1.352 in'),
    ('optics', drop('rlnCtfDataAreCtfPremultiplied'), 'rlnCtfDataAreCtfPremultiplied is missing'),
    ('optics', set_to('rlnImageSize', 63), 'rlnImageSize is 63 in row 1; it must be an even'),
    ('optics', lambda table: table.iloc[:0], 'data_optics: there are no rows'),
    ('optics', lambda table: pd.concat([table, table]), 'rlnOpticsGroup 1 is there twice'),
    ('optics', lambda table: pd.concat([table, table.assign(rlnOpticsGroup=2, rlnImageDimensionality=3)]),
     'cannot be mixed'),
    ('optics', set_to('rlnImageDimensionality', 3), 'rlnTomoSubTomosAre2DStacks is 1, but rlnImageDimensionality')])
def test_particles_that_relion_takes_in_silence(block: str, change: Any, message: str) -> None:
    """Prevents poses given to other particles, crashes without a message, and maps without the CTF."""
    blocks = particles()
    if change is None:
        del blocks[block]
    else:
        blocks[block] = change(blocks[block])
    with pytest.raises(StarError, match=message) as caught:
        check_all(blocks)
    assert str(caught.value).startswith('p.star')


def test_volumes_need_their_weights() -> None:
    """Prevents a refinement of 3D subtomograms that lack rlnCtfImage."""
    blocks = particles()
    blocks['general'] = set_to('rlnTomoSubTomosAre2DStacks', 0)(blocks['general'])
    blocks['optics'] = set_to('rlnImageDimensionality', 3)(blocks['optics'])
    with pytest.raises(StarError, match='rlnCtfImage is missing'):
        check_all(blocks)
    blocks['particles'] = blocks['particles'].assign(rlnCtfImage='w.mrc').drop(columns='rlnTomoVisibleFrames')
    check_all(blocks)


def test_particles_expanded_by_symmetry() -> None:
    """Prevents a refusal of expanded particles, which share names, where that does no harm."""
    blocks = particles()
    blocks['particles'] = set_to('rlnTomoParticleName', 'TS_01/1')(blocks['particles'])
    check_particles(blocks, unique_names=False)


def test_messages_name_the_file(tmp_path: Path) -> None:
    """Prevents a search through a project for the file that is meant."""
    with pytest.raises(StarError, match=str(tmp_path)):
        check_particles({}, tmp_path / 'p.star')
