"""Files that AreTomo and RELION really wrote."""
import numpy as np
import pytest

from relionsta.sources import CENTERED, VOXEL, SeriesLocation, SourceError, read_picks, read_series
from relionsta.sources.aln import read_aln
from relionsta.sources.ctf import read_ctf
from relionsta.tests.find import shared_data
from relionsta.tests.unit.make_aretomo3 import write_mrc

OPTICS = {'pixel_size': 1.35, 'voltage': 300., 'cs': 2.7, 'amplitude_contrast': 0.07}


def series_with(folder, aln, nominal):
    """A folder with a real .aln, and a _TLT.txt, _CTF.txt and stack of the same number of images."""
    n = len(nominal)
    (folder / 'x.aln').write_bytes(aln.read_bytes())
    tlt = ['%8.2f  %4d  %8.2f\n' % (tilt, n - i, 3) for i, tilt in enumerate(nominal)]
    (folder / 'x_TLT.txt').write_text(''.join(tlt))
    (folder / 'x_CTF.txt').write_text(''.join('%4d  %8.2f  %8.2f  10.00  0.00  0.1  9.0\n' % (i + 1, 30000 + i, 29000)
                                              for i in range(n)))
    write_mrc(folder / 'x.mrc', (8, 8, n), 1.35)
    return SeriesLocation(folder, 'x')


def test_numbered_from_one_without_darks(tmp_path):
    """AreTomo3 2.0.7 and later: SEC 61 is the last image of 61, not one beyond."""
    location = series_with(tmp_path, shared_data('aretomo3/alnfile/global_no_local.aln'), np.arange(61))
    aln = read_aln(tmp_path / 'x.aln')
    assert aln.raw_size == (4096, 4096, 61) and aln.darks == () and aln.thickness == 2050 and len(aln.rows) == 61
    nominal = aln.rows['TILT'] + 7.
    series_with(tmp_path, tmp_path / 'x.aln', nominal)
    with pytest.raises(SourceError, match='x.mrc: 61 images of 8 x 8 px, the .aln says 61 images of 4096 x 4096'):
        read_series(location, **OPTICS)
    _shrink(tmp_path)
    record = read_series(location, **OPTICS)
    assert record.images['aligned'].all()
    assert record.software['section_numbers'].startswith('image of the stack, from 1')
    assert record.images['y_shift_px'].iloc[60] == -527.601 and record.images['tilt'].iloc[0] == -63.20
    assert record.tilt_axis == -95.404 and not record.local_alignment and record.alpha_offset == -7.


def test_numbered_from_zero_after_removal_of_darks(tmp_path):
    """AreTomo3 before 2.0.7: SEC 0 is image 15 of the stack, because 14 dark images were removed first."""
    location = series_with(tmp_path, shared_data('aretomo3/alnfile/global_and_local.aln'), np.arange(-68., 34., 2))
    _shrink(tmp_path)
    record = read_series(location, **OPTICS)
    aligned = record.images[record.images['aligned']]
    assert aligned['section'].tolist() == list(range(15, 52))
    assert aligned['tilt'].iloc[0] == -27.71 and aligned['nominal_tilt'].iloc[0] == -40.
    assert aligned['defocus_u'].iloc[0] == 30014. and aligned['x_shift_px'].iloc[1] == 1.680
    assert aligned['pre_exposure'].iloc[0] == 36 * 3.
    assert record.local_alignment and len(record.warnings) == 1
    assert record.software['section_numbers'].startswith('row of this table, from 0')


def test_shortened_example_is_refused():
    """Its .aln holds 4 rows and 4 darks of 90 images: such a file must not pass as a series of 4."""
    aln = read_aln(shared_data('aretomo3/cryoet-alignment/test_thickness.aln'))
    assert aln.raw_size[2] == 90 and aln.darks == (1, 2, 88, 89) and aln.thickness == 1240 and len(aln.rows) == 4
    assert aln.num_patches == 16 and aln.num_local_rows == 6
    assert read_aln(shared_data('aretomo3/cryoet-alignment/test.aln')).thickness is None


def test_ctf_tables_with_seven_and_eight_columns():
    """The hand is an eighth column since AreTomo3 2.0; azimuths may be negative or above 90."""
    notes = []
    seven = read_ctf(shared_data('aretomo3/cryoet-alignment/test_CTF.txt'), 3, notes)
    assert seven.df_hand is None and seven.table['defocus_u'].tolist() == [25951.41, 24973.29, 20648.45]
    eight = read_ctf(shared_data('aretomo3/cryoet-alignment/test_8col_CTF.txt'), 31, notes)
    assert eight.df_hand == -1 and len(eight.table) == 31 and notes == []
    assert eight.table['defocus_angle'].iloc[[7, 22]].tolist() == [-28., 107.]
    with pytest.raises(SourceError, match='has 31 rows and the series has 41 images'):
        read_ctf(shared_data('aretomo3/cryoet-alignment/test_8col_CTF.txt'), 41, notes)


@pytest.mark.parametrize('name', ['Picks/job019/particles.star', 'Picks/job019/optimisation_set.star'])
def test_picks_of_relion(name):
    """The file and the set that names it give the same 9442 picks."""
    picks = read_picks(shared_data('relion5-hiv-project/' + name))
    assert picks.coordinates == CENTERED and len(picks.table) == 9442 and not picks.oriented
    assert sorted(picks.tomo_names) == ['TS_01', 'TS_03', 'TS_43', 'TS_45', 'TS_54']
    assert picks.table[['x', 'y', 'z']].iloc[0].tolist() == [-485.896912, 1974.646743, 588.853933]
    assert picks.table['score'].isna().all() and picks.files[0].name == 'particles.star'


@pytest.mark.parametrize('name', ['Select/job024', 'Refine3D/job034'])
def test_folder_of_a_relion_job(name):
    """Select writes the removed particles beside the selected ones: together they are what was thrown away and kept."""
    with pytest.raises(SourceError, match='%s: this is the folder of a RELION job' % name):
        read_picks(shared_data('relion5-hiv-project/' + name))


def test_annotations_of_relions_picker():
    """They look like RELION's unbinned coordinates and are voxels of 10 A: read as 1.35 A they land elsewhere."""
    path = shared_data('relion5-hiv-project/Picks/job019/annotations')
    with pytest.raises(SourceError, match="folder 'annotations' rlnCoordinateX/Y/Z are voxels of the binned tomogram"):
        read_picks(path / 'TS_01_particles.star')
    voxels = read_picks(path, coordinates=VOXEL)
    assert voxels.coordinates == VOXEL and len(voxels.table) == 9442 and voxels.table['voxel_size'].isna().all()
    centred = read_picks(path.parent / 'particles.star').table
    for name in ('TS_01', 'TS_45'):
        a, b = (table[table['tomo_name'] == name][['x', 'y', 'z']].to_numpy() for table in (voxels.table, centred))
        assert np.abs(10 * (a - a[0]) - (b - b[0])).max() < 1e-3


def test_particles_of_a_refinement():
    """Particles that were extracted and refined keep every column, so that they can be used again."""
    picks = read_picks(next(shared_data('relion5-hiv-project/Refine3D').glob('*/run_data.star')))
    assert len(picks.table) == 9053 and picks.oriented and picks.coordinates == CENTERED
    assert {'rlnOriginXAngst', 'rlnTomoParticleName', 'rlnRandomSubset', 'rlnTomoVisibleFrames'} <= set(picks.table)
    assert picks.table['sub_tilt'].between(-360, 360).all() and picks.table['sub_rot'].std() > 1


def _shrink(folder):
    """Real series have images of 4096 px; the test's stack has 8: let the header of the .aln say so."""
    path = folder / 'x.aln'
    path.write_text(path.read_text().replace('RawSize = 4096 4096', 'RawSize = 8 8'))
