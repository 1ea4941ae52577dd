"""Two hundred mutated STAR files: the right answer, or a message that names the file, the block and the column."""
import logging
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
import pytest
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from relionsta import geometry
from relionsta.convert.errors import ConvertError
from relionsta.convert.particles import read_particles
from relionsta.convert.poses import ANGLES, COORDINATES, ORIGINS, SUBTOMOGRAM_ANGLES
from relionsta.convert.relion_series import read_tomograms_star
from relionsta.objects import SetOfStaParticles
from relionsta.sources.picks import read_picks
from relionsta.sources.text import SourceError
from relionsta.star import StarError, read_star
from relionsta.star.optimisation_set import read_optimisation_set
from relionsta.star.schemas import check_particles, check_tilt_series, check_tomograms

from .convert_scene import new_file
from .star_mutations import MUTATIONS, Block, Mutated, Style, block, text_of

Answer = Dict[str, Any]
COUNT = 210
SCOPE = {'rlnVoltage': [300.0], 'rlnSphericalAberration': [2.7], 'rlnAmplitudeContrast': [0.1],
         'rlnTomoTiltSeriesPixelSize': [1.35]}
NAMES = ['TS_01', '007', 'TS_03']


def particles_file() -> List[Block]:
    random = np.random.default_rng(3)
    columns: Dict[str, Sequence[object]] = {
        'rlnTomoName': ['TS_01', '007', 'TS_01', 'TS_03'],
        'rlnTomoParticleName': ['TS_01/1', '007/1', 'TS_01/2', 'TS_03/1'], 'rlnOpticsGroup': [1] * 4,
        'rlnImageName': ['a/%d_stack2d.mrcs' % n for n in range(4)], 'rlnTomoVisibleFrames': ['[1,0,1]'] * 4,
        'rlnRandomSubset': [1, 2, 2, 1], 'rlnClassNumber': [3, 1, 3, 2], 'rlnLogLikeliContribution': [1e5, 2.5, 3.0, 4.0],
        'rlnGroupName': ['None', 'g2', '0012', '1_2']}
    for labels in (COORDINATES, ORIGINS, ANGLES, SUBTOMOGRAM_ANGLES):
        columns.update({label: random.uniform(-90, 90, 4).round(6) for label in labels})
    optics = {'rlnOpticsGroup': [1], 'rlnOpticsGroupName': ['optics1'], **SCOPE, 'rlnImagePixelSize': [2.7],
              'rlnImageSize': [64], 'rlnImageDimensionality': [2], 'rlnCtfDataAreCtfPremultiplied': [1],
              'rlnTomoSubtomogramBinning': [2.0]}
    return [block('general', {'rlnTomoSubTomosAre2DStacks': [1]}, as_list=True), block('optics', optics),
            block('particles', columns)]


def tomograms_file() -> List[Block]:
    columns = {'rlnTomoName': NAMES, 'rlnTomoTiltSeriesStarFile': ['tilts/%s.star' % name for name in NAMES],
               'rlnTomoHand': [-1.0] * 3, **{label: value * 3 for label, value in SCOPE.items()}, 'rlnTomoSizeX': [400] * 3,
               'rlnTomoSizeY': [300] * 3, 'rlnTomoSizeZ': [200, 160, 120]}
    return [block('global', columns)]


def tilt_series_file(name: str = 'TS_01') -> List[Block]:
    columns = {'rlnMicrographName': ['%d@%s.mrc:mrcs' % (n, name) for n in (1, 2, 3)],
               'rlnMicrographPreExposure': [3.5, 0.0, 7.0], 'rlnTomoYTilt': [-30.25, 0.125, 30.0],
               'rlnTomoZRot': [85.1, 85.2, 85.3], 'rlnTomoXShiftAngst': [1.5, -2.0, 3.0],
               'rlnTomoYShiftAngst': [0.5, 7.25, -9.0], 'rlnDefocusU': [21000.0, 22000.5, 23000.0],
               'rlnDefocusV': [20000.0, 20500.0, 21000.0], 'rlnDefocusAngle': [12.0, 13.5, 15.0],
               'rlnCtfMaxResolution': [8.0, 7.0, 9.0]}
    return [block(name, columns)]


def optimisation_set_file() -> List[Block]:
    return [block('', {'rlnTomoParticlesFile': ['particles.star'], 'rlnTomoTomogramsFile': ['tomograms.star'],
                       'rlnTomoTrajectoriesFile': ['']}, as_list=True)]


def picks_file() -> List[Block]:
    random = np.random.default_rng(4)
    columns: Dict[str, Sequence[object]] = {
        **{'rlnCoordinate' + axis: random.integers(0, 90, 4) for axis in 'XYZ'},
        **{label: random.uniform(0, 90, 4).round(4) for label in ANGLES}, 'rlnLCCmax': [0.5, 0.4, 0.3, 0.2],
        'rlnDetectorPixelSize': [10.0] * 4, 'rlnMicrographName': ['TS_01', 'rec_007', 'TS_01', 'TS_03']}
    return [block('', columns)]


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_bytes(text.encode())


def good(path: str, blocks: List[Block]) -> None:
    write(path, text_of(blocks, Style(), np.random.default_rng(0)))


def numbers(one: Block, labels: Sequence[str], default: float = 0.0) -> np.ndarray:
    """(n, labels) as RELION takes them: the default where a column is not there."""
    return np.array([[float(cell) for cell in one.column(label)] if label in one.labels else [default] * len(one.rows)
                     for label in labels]).T.reshape(len(one.rows), len(labels))


def by_name(blocks: List[Block]) -> Dict[str, Block]:
    return {one.name: one for one in blocks}


# Each reader: file name -> what it found, and what it must find; where that raises KeyError or ValueError, it must refuse.
def particles_found(path: str) -> Answer:
    particles = SetOfStaParticles(filename=new_file('particles'))
    count = read_particles(path, particles)
    particles.write()
    items = [item.clone() for item in particles.iterItems()] if count else []
    A, _ = geometry.pose_from_scipion(np.array([item.getTransform().getMatrix() for item in items]).reshape(-1, 4, 4))
    return {'names': [item.getParticleName() for item in items],
            'places': np.array([[item.getCoordinate3D()._x.get(), item.getCoordinate3D()._y.get(),
                                 item.getCoordinate3D()._z.get()] for item in items]).reshape(-1, 3) * 1.35, 'A': A,
            'halves': [item.getRandomSubset() for item in items], 'classes': [item.getClassId() or 0 for item in items],
            'pixel': particles.getTiltSeriesPixelSize()}


def particles_true(blocks: List[Block]) -> Answer:
    found = by_name(blocks)
    table, optics = found['particles'], found['optics']
    if not all(label in table.labels for label in COORDINATES):
        raise KeyError('coordinates')
    places, A = geometry.compose_pose(*(numbers(table, labels)
                                        for labels in (COORDINATES, ORIGINS, SUBTOMOGRAM_ANGLES, ANGLES)))
    answer = {'names': table.column('rlnTomoParticleName'), 'places': places, 'A': A,
              'halves': numbers(table, ['rlnRandomSubset'])[:, 0], 'classes': numbers(table, ['rlnClassNumber'])[:, 0],
              'pixel': float(optics.column('rlnTomoTiltSeriesPixelSize')[0])}
    table.column('rlnTomoName')
    return answer


def picks_found(path: str) -> Answer:
    table = read_picks(path).table
    return {'names': table['tomo_name'].tolist(), 'places': table[['x', 'y', 'z']].to_numpy(dtype=float),
            'angles': table[['rot', 'tilt', 'psi']].to_numpy(dtype=float)}


def picks_true(blocks: List[Block]) -> Answer:
    table = blocks[-1]
    coordinates = COORDINATES if COORDINATES[0] in table.labels else ['rlnCoordinate' + axis for axis in 'XYZ']
    if not table.rows:
        raise ValueError('empty')
    if not all(label in table.labels for label in coordinates):
        raise KeyError('coordinates')
    return {'names': table.column('rlnTomoName' if 'rlnTomoName' in table.labels else 'rlnMicrographName'),
            'places': numbers(table, coordinates), 'angles': numbers(table, ANGLES)}


def series_found(path: str) -> Answer:
    """Through the overview, which is that file or names it."""
    tilt_series, ctfs = SetOfTiltSeries(filename=new_file('series')), SetOfCTFTomoSeries(filename=new_file('ctfs'))
    ctfs.setSetOfTiltSeries(tilt_series)
    ts_ids = read_tomograms_star('tomograms.star', tilt_series, ctfs)
    first = tilt_series.getItem('_tsId', 'TS_01') if 'TS_01' in ts_ids else None
    images = [] if first is None else [image.clone() for image in first.iterItems()]
    return {'ids': ts_ids, 'pixel': tilt_series.getSamplingRate(), 'kV': [
        series.getAcquisition().getVoltage() for series in tilt_series.iterItems()], 'tilts': [
        image.getTiltAngle() for image in images], 'doses': [image.getAcquisition().getDoseInitial() for image in images],
        'matrices': np.array([image.getTransform().getMatrix() for image in images]).reshape(-1, 3, 3), 'U': [
        ctf.getDefocusU() for ctf in ctfs.getFirstItem().iterItems()] if images and ts_ids[0] == 'TS_01' else []}


def series_true(overview: Block, tilts: Block) -> Answer:
    names = overview.column('rlnTomoName')
    files = overview.column('rlnTomoTiltSeriesStarFile')
    if not names or any(not Path(file).is_file() for file in files):
        raise ValueError('empty')
    for label in SCOPE:
        numbers(overview, [overview.labels[overview.labels.index(label)]])
    answer = {'ids': ['TS_' + name if name.isdigit() else name for name in names],
              'pixel': float(overview.column('rlnTomoTiltSeriesPixelSize')[0]),
              'kV': numbers(overview, ['rlnVoltage'])[:, 0], 'tilts': [], 'doses': [], 'matrices': np.zeros((0, 3, 3)),
              'U': []}
    if 'TS_01' in names:
        columns = [[float(cell) for cell in tilts.column(label)] for label in (
            'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst')]
        answer.update(tilts=numbers(tilts, ['rlnTomoYTilt'])[:, 0] if 'rlnTomoYTilt' in tilts.labels else None,
                      doses=[float(cell) for cell in tilts.column('rlnMicrographPreExposure')],
                      matrices=geometry.transform_from_tilt(*columns, answer['pixel']))
        for label in ('rlnMicrographName', 'rlnTomoYTilt', 'rlnDefocusV', 'rlnDefocusAngle'):
            tilts.column(label)
        if names[0] == 'TS_01':
            answer['U'] = [float(cell) for cell in tilts.column('rlnDefocusU')]
    return answer


def tomograms_true(blocks: List[Block]) -> Answer:
    return series_true(blocks[0], tilt_series_file()[0])


def tilts_true(blocks: List[Block]) -> Answer:
    if not blocks[0].rows:
        raise ValueError('empty')
    return series_true(tomograms_file()[0], blocks[0])


def set_found(path: str) -> Answer:
    return {key: value or '' for key, value in read_optimisation_set(path)._asdict().items()}


def set_true(blocks: List[Block]) -> Answer:
    if not blocks[0].rows:
        raise ValueError('empty')
    cells = {label: blocks[0].column(label)[0] for label in blocks[0].labels}
    return {key: '' if cells.get(label) in (None, 'None') else cells[label] for key, label in (
        ('particles', 'rlnTomoParticlesFile'), ('tomograms', 'rlnTomoTomogramsFile'),
        ('trajectories', 'rlnTomoTrajectoriesFile'), ('manifolds', 'rlnTomoManifoldsFile'))}


def checked(check: Callable) -> Callable[[str], Answer]:
    """A reader that only tells whether the tables can be used."""
    def found(path: str) -> Answer:
        check(read_star(path), path)
        return {}
    return found


def nothing(blocks: List[Block]) -> Answer:
    return {}


Reader = Tuple[Callable[[str], Answer], Callable[[List[Block]], Answer]]
KINDS: Dict[str, Tuple[str, Callable[[], List[Block]], List[Reader]]] = {
    'particles': ('particles.star', particles_file, [
        (particles_found, particles_true), (picks_found, picks_true),
        (checked(lambda blocks, path: check_particles(blocks, path, images=True)), nothing)]),
    'tomograms': ('tomograms.star', tomograms_file, [
        (series_found, tomograms_true), (checked(lambda blocks, path: check_tomograms(blocks['global'], path)), nothing)]),
    'tilt series': ('tilts/TS_01.star', tilt_series_file, [
        (series_found, tilts_true),
        (checked(lambda blocks, path: check_tilt_series(blocks['TS_01'], 'TS_01', path)), nothing)]),
    'optimisation set': ('optimisation_set.star', optimisation_set_file, [(set_found, set_true)]),
    'picks': ('picks.star', picks_file, [(picks_found, picks_true)])}


@pytest.mark.parametrize('seed', range(COUNT), ids=lambda seed: '%s, %s, %d' % (
    list(KINDS)[seed % len(KINDS)], list(MUTATIONS)[seed // len(KINDS) % len(MUTATIONS)], seed))
def test_mutated_files(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                       caplog: pytest.LogCaptureFixture) -> None:
    """Prevents wrong particles, alignments and microscopes from files that are damaged or only look strange, and
    messages that do not say where the damage is."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        good('tilts/%s.star' % name, tilt_series_file(name))
    good('tomograms.star', tomograms_file())
    file, make, readers = KINDS[list(KINDS)[seed % len(KINDS)]]
    mutated = MUTATIONS[list(MUTATIONS)[seed // len(KINDS) % len(MUTATIONS)]](make(), np.random.default_rng(seed))
    write(file, mutated.text)
    for found, true in readers:
        with caplog.at_level(logging.WARNING):
            caplog.clear()
            _judge(mutated, file, found, true, caplog)


def _judge(mutated: Mutated, file: str, found: Callable[[str], Answer], true: Callable[[List[Block]], Answer],
           caplog: pytest.LogCaptureFixture) -> None:
    try:
        expected = None if mutated.blocks is None else true(mutated.blocks)
    except (KeyError, ValueError):
        expected = None
    try:
        answer = found(file)
    except (StarError, SourceError, ConvertError) as error:
        assert not mutated.harmless, error
        for word in (Path(file).name, *mutated.named):
            assert word in str(error)
        return
    assert mutated.blocks is not None, 'a broken file was read'
    if mutated.cut:
        assert file in ' '.join(record.getMessage() for record in caplog.records), 'a cut file was read in silence'
    assert expected is not None, 'what lacks was not missed: %s' % (mutated.named,)
    for key, value in expected.items():
        is_text = isinstance(value, str) or (len(np.shape(value)) and np.asarray(value).dtype.kind == 'U')
        if mutated.cut and np.ndim(value):
            value = value[:len(answer[key])]
        if is_text:
            assert answer[key] == value, key
        else:
            np.testing.assert_allclose(np.asarray(answer[key], dtype=float), np.asarray(value, dtype=float), atol=1e-6,
                                       err_msg=key)
            assert np.isfinite(np.asarray(answer[key], dtype=float)).all(), key
