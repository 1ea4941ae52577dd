"""Import IMOD (eTomo) results: the same alignment as AreTomo3's files give, from eTomo's."""
import shutil

import numpy as np

from relionsta.convert.bulk import read_columns
from relionsta.sources import find_series, read_series
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, scene_folder, scratch
from relionsta.tests.scenes.sets import aligning_matrix

GIVEN = dict(voltage=SCENE.voltage, sphericalAberration=SCENE.spherical_aberration,
             amplitudeContrast=SCENE.amplitude_contrast)


def etomo_folder(name):
    """The shared scene as eTomo leaves it: a folder per series, with the alignment that AreTomo3's files state."""
    top = scratch() / name
    shutil.rmtree(str(top), ignore_errors=True)
    for location in find_series(str(scene_folder() / 'aretomo3')):
        record = read_series(location)
        folder = top / record.ts_id
        folder.mkdir(parents=True)
        (folder / (record.ts_id + '.st')).symlink_to(record.stack)
        shutil.copy(str(location.folder / (record.ts_id + '_TLT.txt')), str(folder))
        xf = []
        for row in record.images.itertuples():
            matrix = aligning_matrix(row.rot, row.x_shift_px, row.y_shift_px, 1.0) if row.aligned else np.eye(3)
            xf.append('%12.7f%12.7f%12.7f%12.7f%12.3f%12.3f\n' % (*matrix[:2, :2].ravel(), *matrix[:2, 2]))
        (folder / (record.ts_id + '.xf')).write_text(''.join(xf))
        tilts = record.images['tilt'].fillna(record.images['nominal_tilt'])
        (folder / (record.ts_id + '.tlt')).write_text(''.join('%.2f\n' % tilt for tilt in tilts))
        left_out = record.images.loc[~record.images['aligned'], 'section']
        (folder / 'tilt.com').write_text('TILTFILE %s.tlt\n' % record.ts_id + (
            'EXCLUDELIST2 %s\n' % ','.join(map(str, left_out)) if len(left_out) else ''))
    return top


class TestStaImportImod(StaCase):
    """Import IMOD (eTomo) results."""

    _until = 'import_aretomo3'

    def test_same_as_from_aretomo3(self):
        """Two programs' files of one alignment must give one alignment: image by image, with doses and order."""
        done = self.run_new('ProtStaImportImod', filesPath=str(etomo_folder('etomo')), **GIVEN)
        self.checkSetGeneralProps(done.tiltSeries, SCENE.series, SCENE.pixel)
        self.assertEqual(done.tiltSeries.getAcquisition().getVoltage(), SCENE.voltage)
        others = {series.getTsId(): series.clone() for series in self.done['import_aretomo3'].tiltSeries.iterItems()}
        for series in done.tiltSeries.iterItems():
            names = ['_index', '_tiltAngle', '_acqOrder', '_acquisition._doseInitial', '_transform._matrix', 'enabled']
            ours, other = (read_columns(one, names[:-1]) for one in (series, others[series.getTsId()]))
            with self.part(series=series.getTsId()):
                for name in names:
                    np.testing.assert_allclose(ours[name], other[name], atol=2e-3, err_msg=name)
        self.assertTrue(done.summary()[0].startswith('2 of 2 tilt series imported'), done.summary())
        self.assertIn('aligned with IMOD', done.methods()[0])

    def test_one_of_two_is_left_out_with_its_reason(self):
        """A series that cannot be read must not stop the others, nor go without a word."""
        good, bad = SCENE.series_names
        folder = etomo_folder('damaged etomo')
        (folder / bad / (bad + '_TLT.txt')).unlink()
        done = self.run_new('ProtStaImportImod', filesPath=str(folder), **GIVEN)
        self.assertEqual(done.tiltSeries.getTSIds(), [good])
        told = [line for line in done.summary() if line.startswith('%s was left out: ' % bad)]
        self.assertTrue(told and bad + '_TLT.txt' in told[0], done.summary())

    def test_what_is_missing_is_told_before_the_run(self):
        """Cs is in no file of IMOD: a night's queue must not end with that news."""
        folder = str(etomo_folder('asked etomo'))
        errors = self.new('ProtStaImportImod', filesPath=folder, **{**GIVEN, 'sphericalAberration': None}).validate()
        self.assertTrue(errors and all('Cs is not known' in error for error in errors), errors)
        self.assertEqual(self.new('ProtStaImportImod', filesPath=folder, **GIVEN).validate(), [])
