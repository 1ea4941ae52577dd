"""What is easily lost between RELION and Scipion: each value that goes in on one side is found on the other."""
import mrcfile
import numpy as np
import pandas as pd
import pytest
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from relionsta.constants import X_TILT
from relionsta.convert.coordinates import coordinates_table, write_particles_star
from relionsta.convert.errors import ConvertError
from relionsta.convert.relion_series import read_tomograms_star
from relionsta.convert.tilt_series import write_tomograms_star
from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star, write_star

from .convert_particle_files import read, write_particles, written
from .convert_scene import make_coordinates, make_tomograms, new_file

PIXEL = 2.5
N = 5
SCOPES = {'TS_01': (300.0, 2.7, 0.07), 'TS_02': (200.0, 1.4, 0.1)}
IMAGE_COLUMNS = ['rlnMicrographPreExposure', 'rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst',
                 'rlnTomoYShiftAngst', 'rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle', 'rlnPhaseShift',
                 'rlnCtfScalefactor', 'rlnCtfMaxResolution', 'rlnCtfFigureOfMerit']
NAME_COLUMNS = ['rlnMicrographName', 'rlnMicrographNameEven', 'rlnMicrographNameOdd']


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def image_rows(name, seed):
    """A tilt series in which no two images are alike in anything; U above V, as Scipion keeps them."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({'rlnMicrographName': ['%d@%s.mrc:mrcs' % (n + 1, name) for n in range(N)],
                          'rlnMicrographNameEven': ['%d@%s_EVN.mrc:mrcs' % (n + 1, name) for n in range(N)],
                          'rlnMicrographNameOdd': ['%d@%s_ODD.mrc:mrcs' % (n + 1, name) for n in range(N)]})
    # The first image has more dose than the others, and they were not taken in the order of their tilt.
    table['rlnMicrographPreExposure'] = [8.25, 5.0, 0.0, 11.5, 14.75]
    table['rlnTomoXTilt'] = rng.uniform(-3, 3, N)
    table['rlnTomoYTilt'] = np.linspace(-40, 41, N)
    table['rlnTomoZRot'] = rng.uniform(84, 86, N)
    for column in ('rlnTomoXShiftAngst', 'rlnTomoYShiftAngst'):
        table[column] = rng.uniform(-50, 50, N)
    table['rlnDefocusV'] = rng.uniform(10000, 40000, N)
    table['rlnDefocusU'] = table['rlnDefocusV'] + rng.uniform(100, 3000, N)
    table['rlnDefocusAngle'] = rng.uniform(5, 175, N)
    table['rlnPhaseShift'] = rng.uniform(20, 120, N)
    table['rlnCtfScalefactor'] = rng.uniform(0.3, 1, N)
    table['rlnCtfMaxResolution'] = rng.uniform(6, 12, N)
    table['rlnCtfFigureOfMerit'] = rng.uniform(0, 0.2, N)
    return table


def imported():
    """RELION's files of two microscopes, and Scipion's sets of them."""
    tables = {name: image_rows(name, seed) for seed, name in enumerate(SCOPES, 1)}
    overview = []
    for name, (voltage, cs, contrast) in SCOPES.items():
        with mrcfile.new(name + '.mrc', np.zeros((N, 40, 64), dtype=np.float32)) as file:
            file.set_image_stack()
        write_star(name + '.star', {name: tables[name]})
        overview.append({'rlnTomoName': name, 'rlnTomoTiltSeriesStarFile': name + '.star', 'rlnVoltage': voltage,
                         'rlnSphericalAberration': cs, 'rlnAmplitudeContrast': contrast, 'rlnTomoHand': 1.0,
                         'rlnTomoTiltSeriesPixelSize': PIXEL, 'rlnTomoSizeX': 80, 'rlnTomoSizeY': 132,
                         'rlnTomoSizeZ': 44})
    write_star('tomograms.star', {'global': pd.DataFrame(overview)})
    tilt_series, ctfs = SetOfTiltSeries(filename=new_file('series')), SetOfCTFTomoSeries(filename=new_file('ctfs'))
    ctfs.setSetOfTiltSeries(tilt_series)
    read_tomograms_star('tomograms.star', tilt_series, ctfs)
    for items in (tilt_series, ctfs):
        items.write()
    return tables, tilt_series, ctfs


def copied_by_another_plugin(tilt_series, ctfs):
    """As protocols that exclude views or make subsets copy: Scipion's own copyInfo and copyItems."""
    new_series, new_ctfs = SetOfTiltSeries(filename=new_file('series')), SetOfCTFTomoSeries(filename=new_file('ctfs'))
    for new, old in ((new_series, tilt_series), (new_ctfs, ctfs)):
        new.copyInfo(old)
        new.copyItems(old)
        new.write()
    return new_series, new_ctfs


@pytest.mark.parametrize('copied', [False, True])
def test_tilt_series_there_and_back(copied):
    """Phase shifts, X-tilts, astigmatism, refined scales, doses, halves and hand: any of them once was lost by some
    converter, and RELION runs on without a word. Also after another plugin has copied the sets."""
    tables, tilt_series, ctfs = imported()
    if copied:
        tilt_series, ctfs = copied_by_another_plugin(tilt_series, ctfs)
    tomograms = make_tomograms(list(SCOPES), size=(20, 33, 11))
    overview = read_star(write_tomograms_star('job000', tilt_series, ctfs, tomograms))['global']
    assert list(overview['rlnTomoHand']) == [1.0, 1.0]
    assert list(zip(overview['rlnVoltage'], overview['rlnSphericalAberration'],
                    overview['rlnAmplitudeContrast'])) == list(SCOPES.values())
    assert overview['rlnOpticsGroupName'].nunique() == 2
    for name, before in tables.items():
        after = read_star('job000/tilt_series/%s.star' % name)[name]
        pd.testing.assert_frame_equal(after[NAME_COLUMNS], before[NAME_COLUMNS].astype(object))
        pd.testing.assert_frame_equal(after[IMAGE_COLUMNS], before[IMAGE_COLUMNS], atol=1e-6, rtol=1e-9)


def test_what_scipion_sees_of_a_tilt_series():
    """Other plugins read these attributes; they must hold what the files said, in Scipion's units and meaning."""
    tables, tilt_series, ctfs = imported()
    for series in tilt_series.iterItems():
        table, scope = tables[series.getTsId()], SCOPES[series.getTsId()]
        acquisition = series.getAcquisition()
        assert (acquisition.getVoltage(), acquisition.getSphericalAberration(),
                acquisition.getAmplitudeContrast()) == scope
        for (_, row), image in zip(table.iterrows(), series.iterItems()):
            assert image.getTiltAngle() == pytest.approx(row['rlnTomoYTilt'])
            assert image.getRotationAngle() == pytest.approx(row['rlnTomoZRot'])
            assert getattr(image.getTransform(), X_TILT).get() == pytest.approx(row['rlnTomoXTilt'])
            assert image.getAcquisition().getDoseInitial() == pytest.approx(row['rlnMicrographPreExposure'])
            assert list(image.getOddEven()) == ['%s_ODD.mrc' % series.getTsId(), '%s_EVN.mrc' % series.getTsId()]
        assert [image.getAcquisitionOrder() for image in series.iterItems()] == [3, 2, 1, 4, 5]
    for ctf_series in ctfs.iterItems():
        table = tables[ctf_series.getTsId()]
        for (_, row), ctf in zip(table.iterrows(), ctf_series.iterItems()):
            assert (ctf.getDefocusU(), ctf.getDefocusV(), ctf.getDefocusAngle(), ctf.getPhaseShift()) == pytest.approx(
                tuple(row[['rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle', 'rlnPhaseShift']]))
            assert ctf.getResolution() == pytest.approx(row['rlnCtfMaxResolution'])


def test_a_new_alignment_takes_the_x_tilt_away():
    """An X-tilt that outlives its alignment would turn every image of the next one."""
    _, tilt_series, ctfs = imported()
    aligned = SetOfTiltSeries(filename=new_file('series'))
    aligned.copyInfo(tilt_series)

    def align(number, series, image, new_series, new_image):
        transform = type(image.getTransform())()
        transform.setMatrix(np.eye(3))
        new_image.setTransform(transform)

    aligned.copyItems(tilt_series, updateTiCallback=align)
    aligned.write()
    path = write_tomograms_star('job000', aligned, ctfs, make_tomograms(list(SCOPES), size=(20, 33, 11)))
    for name, file in read_star(path)['global'].set_index('rlnTomoName')['rlnTomoTiltSeriesStarFile'].items():
        assert (read_star(file)[name]['rlnTomoXTilt'] == 0).all()


def test_another_pixel_size_goes_into_a_set_of_its_own():
    """A Scipion set has one sampling rate: a second one would silently scale the shifts of its tilt series."""
    imported()
    overview = read_star('tomograms.star')['global']
    overview.loc[1, 'rlnTomoTiltSeriesPixelSize'] = 2.0
    write_star('tomograms.star', {'global': overview})
    with pytest.raises(ConvertError, match='TS_02 has 2.0000 Å per pixel.*a set of its own'):
        read_tomograms_star('tomograms.star', SetOfTiltSeries(filename=new_file('series')))


OPTICS = pd.DataFrame({
    'rlnOpticsGroup': [1, 2], 'rlnOpticsGroupName': ['007', 'krios'], 'rlnVoltage': [300.0, 200.0],
    'rlnSphericalAberration': [2.7, 0.01], 'rlnAmplitudeContrast': [0.1, 0.07],
    'rlnTomoTiltSeriesPixelSize': [1.5, 1.354], 'rlnImagePixelSize': [3.0, 2.708], 'rlnImageSize': [32, 36],
    'rlnTomoSubtomogramBinning': [2.0, 2.0], 'rlnImageDimensionality': [2, 2], 'rlnCtfDataAreCtfPremultiplied': [1, 1],
    'rlnBeamTiltX': [0.125, -1e-07], 'rlnBeamTiltY': [-0.25, 3.5], 'rlnMagMat00': [1.0, 1.0123456789],
    'rlnMagMat01': [0.0, -0.001], 'rlnMagMat10': [0.0, 0.001], 'rlnMagMat11': [1.0, 0.99],
    'rlnEvenZernike': ['[0,1.5,-2e-05,0,0,0,0,0,1]', '[]'], 'rlnOddZernike': ['[0,0,1,2,3,4]', '[1e-3,0,0,0,0,0]'],
    'rlnMtfFileName': ['mtf_k3_300.star', 'None'], 'rlnOurOwnOptics': ['a', '007']})


def two_scopes():
    """Particles of two microscopes with aberrations, and their set."""
    write_particles(rlnOpticsGroup=[1, 2] * 4)
    blocks = read_star('run_data.star')
    blocks['optics'] = OPTICS
    write_star('run_data.star', blocks)
    return blocks, read()


def test_optics_of_particles_there_and_back():
    """Beam tilts, Zernike terms, magnifications and further microscopes are known to the file alone: a set that is written
    for the next job must bring all of it, for the particles that it has, even if poses were changed on the way."""
    blocks, particles = two_scopes()
    moved = SetOfStaParticles.create('.', prefix='moved')
    moved.copyInfo(particles)
    for particle in particles.iterItems():
        if particle.getObjId() in (3, 4, 8):
            particle.getCoordinate3D().shiftX(2.0)
            moved.append(particle)
    moved.write()
    after = written(moved)
    pd.testing.assert_frame_equal(read_star('next.star')['optics'], read_star('run_data.star')['optics'])
    kept = blocks['particles'].iloc[[2, 3, 7]].reset_index(drop=True)
    same = [column for column in kept if not column.startswith('rlnOrigin')]
    pd.testing.assert_frame_equal(after[same], kept[same])
    assert np.abs(after['rlnOriginXAngst'] - kept['rlnOriginXAngst']).max() > 0.1


def test_what_scipion_sees_of_two_microscopes(caplog):
    """A set shows one pixel size and one microscope: the first; that there are others must be said."""
    _, particles = two_scopes()
    assert (particles.getSamplingRate(), particles.getTiltSeriesPixelSize(), particles.getBoxSize()) == (3.0, 1.5, 32)
    assert particles.getAcquisition().getVoltage() == 300
    assert '2.708' in caplog.text and 'run_data.star' in caplog.text


def test_extraction_starts_with_the_microscope_of_each_tomogram():
    """Particles in the group of another microscope are corrected for another CTF."""
    overview = pd.DataFrame({'rlnTomoName': ['TS_01', 'TS_02', 'TS_03'], 'rlnOpticsGroupName': ['a', 'b', 'a'],
                             'rlnVoltage': [300.0, 200.0, 300.0], 'rlnSphericalAberration': [2.7, 1.4, 2.7],
                             'rlnAmplitudeContrast': [0.1, 0.07, 0.1], 'rlnTomoTiltSeriesPixelSize': [2.5, 2.0, 2.5]})
    write_star('tomograms.star', {'global': overview})
    write_particles_star('p.star', coordinates_table(make_coordinates(make_tomograms(['TS_01', 'TS_02', 'TS_03']))),
                         'tomograms.star')
    blocks = read_star('p.star')
    scopes = blocks['particles'].merge(blocks['optics'], on='rlnOpticsGroup').merge(overview, on='rlnTomoName')
    assert len(scopes) == 6 and len(blocks['optics']) == 2
    for label in ('rlnVoltage', 'rlnSphericalAberration', 'rlnAmplitudeContrast', 'rlnTomoTiltSeriesPixelSize'):
        assert (scopes[label + '_x'] == scopes[label + '_y']).all()
