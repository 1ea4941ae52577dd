"""AreTomo3 folders: the right numbers come in for every version."""
import shutil

import numpy as np
import pandas as pd
import pytest

from relionsta.sources import IMAGE_COLUMNS, SeriesLocation, SourceError, find_series, read_series
from relionsta.tests.unit.make_aretomo3 import VERSIONS, MadeSeries, write_mrc


def read(folder, name='TS_01', **given):
    return read_series(SeriesLocation(folder, name), **given)


@pytest.mark.parametrize('version', VERSIONS)
def test_every_number_arrives_where_it_belongs(tmp_path, version):
    """A row or column off by one gives every image another tilt, CTF or dose, and RELION does not complain."""
    made = MadeSeries(halves=True)
    record = read(made.write(tmp_path, version))
    images, kept = record.images, made.kept
    assert tuple(images.columns) == IMAGE_COLUMNS
    assert images['section'].tolist() == list(range(1, 12))
    assert images['aligned'].tolist() == [index in kept for index in range(11)]
    assert np.array_equal(images['nominal_tilt'], made.nominal)
    assert np.allclose(images['tilt'][kept], made.nominal[kept] + made.alpha, atol=1e-9)
    assert np.array_equal(images['rot'][kept], made.rots[kept])
    assert np.array_equal(images[['x_shift_px', 'y_shift_px']].to_numpy()[kept], made.shifts[kept])
    assert images.loc[~images['aligned'], ['tilt', 'rot', 'x_shift_px', 'y_shift_px']].isna().all(axis=None)
    assert np.array_equal(images[['defocus_u', 'defocus_v']], made.defocus)
    assert np.array_equal(images['defocus_angle'], made.azimuth)
    assert np.allclose(images['phase_shift_deg'], made.phase * 180 / np.pi)
    assert np.array_equal(images['ctf_cc'], made.score) and np.array_equal(images['ctf_resolution'], made.resolution)
    assert np.array_equal(images['acquisition_order'], made.acquisition)
    assert np.array_equal(images['dose'], made.dose)
    for i in range(11):
        earlier = made.acquisition < made.acquisition[i]
        assert images['pre_exposure'][i] == pytest.approx(made.dose[earlier].sum())
    assert (record.pixel_size, record.voltage, record.cs, record.amplitude_contrast) == (2., 300., 2.7, .07)
    assert (record.image_size, record.n_raw, record.n_aligned) == ((64, 48), 11, 9)
    assert record.alpha_offset == 4.2 and record.beta_offset == .5 and not record.local_alignment
    assert record.stack == tmp_path / 'TS_01.mrc' and record.even_stack == tmp_path / 'TS_01_EVN.mrc'
    assert record.odd_stack == tmp_path / 'TS_01_ODD.mrc' and record.odd_tomogram == tmp_path / 'TS_01_ODD_Vol.mrc'
    assert record.even_tomogram == tmp_path / 'TS_01_EVN_Vol.mrc' and record.warnings == []
    assert record.tilt_axis == made.rots[int(np.argmin(np.abs(made.nominal + made.alpha)))]


@pytest.mark.parametrize('seed', range(8))
def test_versions_of_the_same_series_give_the_same_record(tmp_path, seed):
    """The numbers in SEC and DarkFrame mean other things in each version; the series is the same."""
    random = np.random.default_rng(seed)
    nominal = np.sort(np.round(random.uniform(-65, 65, 23), 2))
    darks = tuple(sorted(random.choice(23, size=int(random.integers(0, 9)), replace=False).tolist()))
    made = MadeSeries(nominal=nominal, darks=darks, seed=seed, alpha=round(float(random.uniform(-15, 15)), 2))
    records = [read(made.write(tmp_path / version, version)) for version in VERSIONS]
    for record in records[1:]:
        pd.testing.assert_frame_equal(records[0].images, record.images)
    assert records[2].software['section_numbers'].endswith('(AreTomo3 2.0.7 and later)')
    if darks and darks[0] < 22 - len(darks):
        assert records[0].software['section_numbers'].endswith('(AreTomo 1 and 2)')
        assert records[1].software['section_numbers'].endswith('(AreTomo3 before 2.0.7)')


def test_aretomo1_without_dark_lines_and_offset(tmp_path):
    """AreTomo 1 leaves images out without saying so: only the section numbers tell, and the user is told."""
    made = MadeSeries(alpha=0., darks=(0, 4, 10))
    made.write(tmp_path, 'aretomo2')
    text = (tmp_path / 'TS_01.aln').read_text()
    reference = read(tmp_path)
    (tmp_path / 'TS_01.aln').write_text(''.join(line for line in text.splitlines(True) if 'DarkFrame' not in line))
    record = read(tmp_path)
    pd.testing.assert_frame_equal(record.images, reference.images)
    assert 'image 1, 5, 11 was left out' in record.warnings[0]


def test_tilt_without_alpha_offset(tmp_path):
    """-TiltCor 0 reports an offset that is not in TILT: both files are fine and must not be refused."""
    made = MadeSeries(alpha=0.)
    made.write(tmp_path)
    path = tmp_path / 'TS_01.aln'
    path.write_text(path.read_text().replace('AlphaOffset =     0.00', 'AlphaOffset =     6.50'))
    record = read(tmp_path)
    assert np.array_equal(record.images['tilt'][made.kept], made.nominal[made.kept])
    assert '-TiltCor 0' in record.warnings[0]


def test_seven_columns_windows_line_ends_and_blank_lines(tmp_path):
    """Files that went through Windows or an editor are still good."""
    made = MadeSeries(df_hand=None)
    made.write(tmp_path)
    reference = read(tmp_path)
    for end in ('.aln', '_TLT.txt', '_CTF.txt'):
        path = tmp_path / ('TS_01' + end)
        path.write_bytes(path.read_bytes().replace(b'\n', b'\r\n\r\n') + b'\r\n  \r\n')
    record = read(tmp_path)
    pd.testing.assert_frame_equal(record.images, reference.images)
    assert record.hand == -1 and 'default' in record.hand_reason


def test_two_column_tlt_needs_the_dose(tmp_path):
    """Before 2.0.0 the dose is nowhere: guessing 0 would switch dose weighting off."""
    made = MadeSeries(dose_column=False)
    made.write(tmp_path)
    with pytest.raises(SourceError, match=r'TS_01_TLT.txt: has no third column.*Give the dose per image'):
        read(tmp_path)
    record = read(tmp_path, dose_per_image=3.1)
    assert np.allclose(record.images['pre_exposure'], 3.1 * (made.acquisition - 1))


def test_acquisition_numbers_from_zero_are_raised(tmp_path):
    """Scipion and RELION count acquisitions from 1."""
    made = MadeSeries()
    made.acquisition = made.acquisition - 1
    record = read(made.write(tmp_path))
    assert sorted(record.images['acquisition_order']) == list(range(1, 12))
    assert 'start at 0' in record.warnings[0]


def test_gaps_in_the_acquisition_are_told(tmp_path):
    """The dose of images that never reached the stack is unknown; nobody sees it later."""
    made = MadeSeries()
    made.acquisition[made.acquisition > 5] += 2
    assert 'no image has acquisition number 6, 7' in read(made.write(tmp_path)).warnings[0]


@pytest.mark.parametrize('rot, size', [(85.25, (12, 16, 8)), (-95., (12, 16, 8)), (3., (16, 12, 8)),
                                       (-178., (16, 12, 8))])
@pytest.mark.parametrize('flip_vol', [0, 1, 2])
def test_tomogram_axes_and_voxel_size(tmp_path, rot, size, flip_vol):
    """X and Y are exchanged for axes near the X axis, Y and Z with FlipVol 0: picks would land elsewhere."""
    made = MadeSeries(rot=rot, flip_vol=flip_vol)
    record = read(made.write(tmp_path))
    assert record.tomogram_size == (size if flip_vol else (size[0], size[2], size[1]))
    assert record.voxel_size == pytest.approx(8.) and record.flip_vol == flip_vol


def test_voxel_size_is_from_the_sizes(tmp_path):
    """K3 images binned 7.84 times: 5760 x 4092 px become 734 x 520 voxels that still cover the whole image."""
    made = MadeSeries(size=(57, 61), rot=0., binning=1)
    made.write(tmp_path)
    write_mrc(tmp_path / 'TS_01_Vol.mrc', (14, 14, 8), 8.)  # 57 / 4 = 14.25, 61 / 4 = 15.25
    record = read(tmp_path)
    assert record.voxel_size == pytest.approx(2. * (57 / 14 + 61 / 14) / 2)
    assert 'the binning is 4.0714 in X and 4.3571 in Y' in record.warnings[0]


def test_flip_vol_is_guessed_without_session(tmp_path):
    """Without session file the sizes tell FlipVol 0 from 1, and the user is told that 2 looks like 1."""
    given = {'pixel_size': 2., 'voltage': 200., 'cs': 1.4, 'amplitude_contrast': .1}
    for flip_vol in (0, 1):
        folder = MadeSeries(flip_vol=flip_vol).write(tmp_path / str(flip_vol))
        (folder / 'AreTomo3_Session.json').unlink()
        record = read(folder, **given)
        assert record.flip_vol == flip_vol and record.voxel_size == pytest.approx(8.)
        assert 'FlipVol is unknown' in record.warnings[0] and record.voltage == 200. and record.cs == 1.4


def test_wrong_flip_vol_is_refused(tmp_path):
    """A session file that a second run has rewritten must not turn the tomogram."""
    MadeSeries(flip_vol=0, session={'FlipVol': 1}).write(tmp_path)
    with pytest.raises(SourceError, match='TS_01_Vol.mrc: 12 x 8 x 16 voxels.*with FlipVol 1. It looks like FlipVol 0'):
        read(tmp_path)
    assert read(tmp_path, flip_vol=0).flip_vol == 0


def test_no_tomogram_is_fine(tmp_path):
    """-VolZ 0 writes none."""
    record = read(MadeSeries(volume=False).write(tmp_path))
    assert record.tomogram is None and record.voxel_size is None


@pytest.mark.parametrize('df_hand, shift, flag, hand, reason', [
    (1, 0., 1., -1, 'found hand 1'),
    (-1, 180., 1., -1, 'turned the tilt axis'),
    (-1, -180., 1., -1, 'turned the tilt axis'),
    (-1, 3., -1., 1, 'told to leave'),
    (-1, 180., -1., -1, 'turned the tilt axis'),
    (-1, 3., 1., -1, 'was not turned'),
    (-1, 90., -1., -1, 'was not turned'),
    (None, 0., 1., -1, 'does not give a hand'),
])
def test_hand(tmp_path, df_hand, shift, flag, hand, reason):
    """-dfHand alone is wrong for all series whose axis AreTomo3 turned; the user can overrule the hand."""
    made = MadeSeries(rot=85., df_hand=df_hand, session={'TiltAxis': [85. - shift, flag]})
    record = read(made.write(tmp_path))
    assert record.hand == hand and reason in record.hand_reason
    assert any('Check it' in text for text in record.warnings) == ('was not turned' in reason)
    assert read(tmp_path, hand=-hand).hand == -hand


def test_local_alignment_is_told(tmp_path):
    """RELION cannot express the local shifts: the tomogram and the imported alignment differ at the edges."""
    record = read(MadeSeries(patches=4).write(tmp_path))
    assert record.local_alignment and len(record.warnings) == 1 and 'local shifts' in record.warnings[0]


def test_exchanged_defocus_is_the_same_ctf(tmp_path):
    """U must be the larger one, its angle turned by 90 deg: azimuths 90 deg off are a real error of other readers."""
    made = MadeSeries()
    made.defocus[3] = made.defocus[3, ::-1]
    record = read(made.write(tmp_path))
    assert record.images['defocus_u'][3] == made.defocus[3, 1]
    assert record.images['defocus_angle'][3] == made.azimuth[3] + 90
    assert 'image 4' in record.warnings[0]


def test_images_without_ctf_are_named(tmp_path):
    """A defocus of 0 would go into the average as perfect focus."""
    made = MadeSeries()
    made.defocus[3] = 0.
    assert 'no CTF was found for image 4' in read(made.write(tmp_path)).warnings[0]


def test_pixel_size_never_uses_at_bin(tmp_path):
    """Shifts are in pixels of the unbinned images: PixSize * McBin."""
    made = MadeSeries(session={'AtBin': [8.0, 4.0], 'PixSize': 0.5, 'McBin': 4})
    assert read(made.write(tmp_path)).pixel_size == 2.
    record = read(tmp_path, pixel_size=1.9)
    assert record.pixel_size == 1.9 and record.voxel_size == pytest.approx(7.6)
    assert any('4 A was given' not in text and '1.9000 A was given' in text for text in record.warnings)


def test_early_session_file_that_is_no_json(tmp_path):
    """The first AreTomo3 wrote a flat file with unquoted text in lists."""
    folder = MadeSeries().write(tmp_path)
    (folder / 'AreTomo3_Session.json').write_text(
        '{\n     "Name":  "AreTomo3",\n     "Version":  "1.0.2",\n     "InSkips":  [_CTF, _Vol],\n'
        '     "PixSize":  1.000000,\n     "kV":  200,\n     "Cs":  2.700000,\n     "McBin":  2.000000,\n'
        '     "AtBin":  4.000000,\n     "TiltAxis":  [85.250000, 0.000000],\n     "FlipVol":  1,\n'
        '     "AmpContrast":  0.100000,\n     "Time":  "Mon Jan  1 10:00:00 2024"\n}\n')
    record = read(folder)
    assert (record.pixel_size, record.voltage, record.amplitude_contrast) == (2., 200., .1)
    assert record.software['version'] == '1.0.2' and record.flip_vol == 1


def test_alignment_run_again_into_its_own_folder(tmp_path):
    """-Cmd 1 leaves stack and _TLT.txt in the first folder."""
    folder = MadeSeries(halves=True).write(tmp_path / 'first')
    second = tmp_path / 'second'
    second.mkdir()
    for name in ('TS_01.aln', 'TS_01_CTF.txt', 'TS_01_Vol.mrc', 'AreTomo3_Session.json'):
        shutil.move(str(folder / name), str(second / name))
    record = read(second, stack_folder=folder)
    assert record.stack == folder / 'TS_01.mrc' and record.even_stack and record.tomogram == second / 'TS_01_Vol.mrc'


def test_find_series(tmp_path):
    """Every series is found once and in order, even where a file is missing, which reading then tells."""
    for name in ('TS_10', 'TS_02', 'TS_01'):
        MadeSeries(name=name, halves=True).write(tmp_path / 'run1')
    MadeSeries(name='TS_03').write(tmp_path / 'run [2]')
    (tmp_path / 'run1' / 'TS_10.aln').unlink()
    (tmp_path / 'run1' / 'TS_02_CTF_Imod.txt').write_text('1 0 0. 0. 0. 3\n')
    assert [one.ts_id for one in find_series(str(tmp_path / 'run1'))] == ['TS_01', 'TS_02', 'TS_10']
    assert [one.ts_id for one in find_series(str(tmp_path / 'run*'))] == ['TS_01', 'TS_02', 'TS_03', 'TS_10']
    assert [one.ts_id for one in find_series(str(tmp_path / 'run1' / 'TS_0*'))] == ['TS_01', 'TS_02']
    assert [one.ts_id for one in find_series(str(tmp_path / 'run1' / '*_Vol.mrc'))] == ['TS_01', 'TS_02', 'TS_10']
    assert [one.ts_id for one in find_series(str(tmp_path / 'run [2]' / 'TS_03.aln'))] == ['TS_03']
    assert [one.ts_id for one in find_series(str(tmp_path / 'run [2]'))] == ['TS_03']
    with pytest.raises(SourceError, match=r'TS_10.aln: this file is missing. Run AreTomo3'):
        read(tmp_path / 'run1', 'TS_10')
    MadeSeries(name='TS_02').write(tmp_path / 'run3')
    with pytest.raises(SourceError, match="'TS_02' is in two folders, .*run1 and .*run3"):
        find_series(str(tmp_path / 'run*'))
    for nothing, message in (('none*', 'no file matches'), ('', 'there is no tilt series here')):
        with pytest.raises(SourceError, match=message):
            find_series(str(tmp_path / nothing))
