"""Files of particles that RELION would crash on, or go wrong with in silence, are refused by name before a run."""
from pathlib import Path

import pandas as pd
import pytest

from relionsta.protocols.checks import checkParticles
from relionsta.star import read_star, write_star

from .convert_particle_files import PIXEL, read, write_particles
from .convert_tomogram_files import TILTS, change_block, write_tomograms

NAMES = ['TS_01', 'TS_02']


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def particles():
    """Particles of two tilt series with all that RELION needs."""
    write_particles()
    change_block('run_data.star', 'optics', rlnCtfDataAreCtfPremultiplied=1)
    write_tomograms('tomograms.star', NAMES, 'series')
    for name in NAMES:
        change_block('series/%s.star' % name, name, rlnTomoZRot=85.0, rlnTomoXShiftAngst=0.0, rlnTomoYShiftAngst=0.0,
                     rlnDefocusU=3e4, rlnDefocusV=3e4, rlnDefocusAngle=0.0)
    found = read(tomograms_star='tomograms.star')
    image = Path(found.getFirstItem().getFileName())
    image.parent.mkdir(exist_ok=True)
    image.touch()
    return found


def change(path, block, column, values=None):
    """Replace a column of a file, or take it out."""
    table = read_star(path)[block]
    change_block(path, block, table.drop(columns=column) if values is None else table.assign(**{column: values}))


def refused(particles, *words):
    errors = checkParticles('Particles', particles)
    assert len(errors) == 1 and all(word in errors[0] for word in ('*Particles*', *words)), errors


def test_good_files_are_accepted(particles):
    """Refusals prove nothing if all is refused; rlnMicrographName does not go to RELION, so it is no reason."""
    assert checkParticles('Particles', particles) == []
    change('run_data.star', 'particles', 'rlnMicrographName', ['m'] * 8)
    assert checkParticles('Particles', particles) == []


def test_images_that_have_stayed_behind(particles):
    """The rows of an imported set are there, its images on another disk: RELION would say so after the queue."""
    Path(particles.getFirstItem().getFileName()).unlink()
    refused(particles, 'the images of the particles are not there (job/0_stack2d.mrcs)')
    assert checkParticles('Particles', particles, extracted=False) == []


@pytest.mark.parametrize('column', ['rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst'])
def test_alignment_columns(particles, column):
    """RELION projects with matrices that it never set, and ends well."""
    change('series/TS_02.star', 'TS_02', column)
    refused(particles, 'series/TS_02.star', 'data_TS_02', column)


def test_visible_frames_of_the_wrong_length(particles):
    """RELION reads beyond the list, in silence; the row that is told is that of the file."""
    right = '[' + ','.join(['1'] * TILTS) + ']'
    change('run_data.star', 'particles', 'rlnTomoVisibleFrames', [right] * 5 + ['[1,0]'] + [right] * 2)
    refused(particles, 'run_data.star', 'rlnTomoVisibleFrames has 2 values in row 6', 'TS_02 has %d images' % TILTS)
    change('run_data.star', 'particles', 'rlnTomoVisibleFrames')
    refused(particles, 'run_data.star', 'rlnTomoVisibleFrames')


def test_optics_and_files_of_tilt_series(particles):
    """RELION dies without a message."""
    change('tomograms.star', 'global', 'rlnTomoTiltSeriesStarFile')
    refused(particles, 'tomograms.star', 'rlnTomoTiltSeriesStarFile')
    write_tomograms('tomograms.star', NAMES, 'other')
    blocks = read_star('run_data.star')
    write_star('run_data.star', {name: block for name, block in blocks.items() if name != 'optics'})
    for name in NAMES:
        write_star('other/%s.star' % name, read_star('series/%s.star' % name))
    refused(particles, 'run_data.star', 'data_optics is missing')


def test_rows_that_the_set_has_not_are_no_reason(particles):
    """A user who has thrown a bad particle out must be let through, and one whose particles went must be told."""
    table = read_star('run_data.star')['particles']
    bad = table.iloc[[0]].assign(rlnTomoParticleName='TS_01/bad', rlnTomoVisibleFrames='[1]')
    change_block('run_data.star', 'particles', pd.concat([bad, table], ignore_index=True))
    assert checkParticles('Particles', particles) == []
    change_block('run_data.star', 'particles', table.iloc[1:].reset_index(drop=True))
    refused(particles, '1 of 8 particles are not in run_data.star')
    assert particles.getTiltSeriesPixelSize() == PIXEL
