"""Export to RELION and back: the same particles, tilt series and maps."""
import shutil

import numpy as np
import starfile

from relionsta.convert.bulk import read_columns
from relionsta.convert.particles import write_star_of_set
from relionsta.convert.relion_import import PATHS
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import scratch
from relionsta.tests.protocols.test_import_relion_road import volume

EXACT = 1e-6


class TestStaRelionRoundTrip(StaCase):
    """The road's refinement as a project of RELION, and as STAR files, imported again."""

    _until = 'postprocess'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls._export('there and back', 'postprocess', 'sharpenedVolume')

    @classmethod
    def _export(cls, name, job, output, **values):
        folder = scratch() / name
        shutil.rmtree(str(folder), ignore_errors=True)
        cls.run_new('ProtStaExportRelion', inputResult=cls.output(job, output), exportFolder=str(folder), **values)
        return folder

    def _same_particles(self, back, before):
        """Rows, poses, order, classes, half sets and every other column but names of files."""
        tables = []
        for number, particles in enumerate((back, before)):
            path = str(scratch() / ('trip %d.star' % number))
            write_star_of_set(particles, path)
            tables.append(starfile.read(path, always_dict=True))
        self.assertEqual(list(tables[0]), list(tables[1]))
        for block in ('optics', 'particles'):
            one, other = tables[0][block], tables[1][block]
            self.assertEqual(list(one), list(other))
            self.assertEqual(len(one), len(other))
            for label in set(other) - PATHS:
                if other[label].dtype.kind in 'if':
                    np.testing.assert_allclose(one[label], other[label], rtol=0, atol=EXACT, err_msg=label)
                else:
                    self.assertEqual(list(one[label]), list(other[label]), label)
        here, there = (read_columns(one, ['_particleName', '_transform._matrix']) for one in (back, before))
        np.testing.assert_allclose(here['_transform._matrix'], there['_transform._matrix'], atol=EXACT)
        for one, other in list(zip(tables[0]['particles']['rlnImageName'], tables[1]['particles']['rlnImageName']))[::5]:
            np.testing.assert_array_equal(volume(one), volume(other))

    def _same_series(self, back):
        """Alignment, doses, order and defocus of every image that RELION was given."""
        imported = self.done['import_aretomo3']
        before = {one.getTsId(): one.clone() for one in imported.tiltSeries.iterItems()}
        names = ['_tiltAngle', '_acquisition._doseInitial', '_acquisition._dosePerFrame', '_transform._matrix']
        for series in back.tiltSeries.iterItems():
            ours, theirs = (read_columns(one, names, enabled_only=True) for one in (series, before[series.getTsId()]))
            for name in names:
                np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=EXACT, err_msg=name)
        before = {one.getTsId(): one.clone() for one in imported.ctfs.iterItems()}
        names = ['_defocusU', '_defocusV', '_defocusAngle']
        for series in back.ctfs.iterItems():
            ours, theirs = (read_columns(one, names, enabled_only=True) for one in (series, before[series.getTsId()]))
            for name in names:
                np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=EXACT, err_msg=name)
        self.assertEqual(back.tiltSeries.getTSIds(), imported.tiltSeries.getTSIds())
        self.assertEqual(back.ctfs.getSize(), imported.ctfs.getSize())

    def _job(self, kind):
        """The folder of the last job of a type in the exported project."""
        return str(sorted((self.folder / kind).glob('job[0-9]*'))[-1])

    def test_the_refinement(self):
        """A pose, half set or alignment that changes between Scipion and RELION spoils all that comes after."""
        back, before = (self.run_new('ProtStaImportRelion', filesPath=self._job('Refine3D')), self.done['refine3d'])
        self._same_particles(back.outputParticles, before.outputParticles)
        self._same_series(back)
        maps = [back.outputVolume, before.refinedVolume]
        for one, other in zip(*([each.getFileName()] + each.getHalfMaps().split(',') for each in maps)):
            np.testing.assert_array_equal(volume(one), volume(other))
        self.assertEqual(maps[0].getSamplingRate(), maps[1].getSamplingRate())
        np.testing.assert_array_equal(volume(back.outputMask.getFileName()),
                                      volume(self.done['mask'].solventMask.getFileName()))
        curves = [one.fscs.getFirstItem().getData() for one in (back, before)]
        np.testing.assert_allclose(curves[0], curves[1], atol=EXACT)

    def test_the_other_jobs(self):
        """Each job of the exported project must be known for what it is, with its own particles or maps."""
        for kind, job, outputs in (('Class3D', 'classify', {'outputParticles', 'outputClasses', 'outputAverages'}),
                                   ('Extract', 'extract', {'outputParticles', 'outputCoordinates', 'tiltSeries', 'ctfs'}),
                                   ('PostProcess', 'postprocess', {'outputVolume', 'outputMask', 'fscs'}),
                                   ('MaskCreate', 'mask', {'outputMask'}), ('Reconstruct', 'reconstruct', {'outputVolume'})):
            with self.part(job=kind):
                back = self.run_new('ProtStaImportRelion', filesPath=self._job(kind))
                self.assertLessEqual(outputs, {name for name, _ in back.iterOutputAttributes()})
                if 'outputParticles' in outputs:
                    self._same_particles(back.outputParticles, self.done[job].outputParticles)

    def test_star_files(self):
        """The plain files that other programs get must say the same."""
        folder = self._export('plain and back', 'refine3d', 'outputParticles', kind='STAR files of the particles')
        back = self.run_new('ProtStaImportRelion', filesPath=str(folder / 'optimisation_set.star'))
        self._same_particles(back.outputParticles, self.done['refine3d'].outputParticles)
        self._same_series(back)
