"""A run that fails, a run after one that failed, and files that other programs name in their own way."""
import os
import shutil

import mrcfile
from pwem.objects import Volume
from pyworkflow.protocol.constants import MODE_RESUME

from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SETTINGS
from relionsta.tests.protocols.shelf import Shelf

#: relion_refine, not started with MPI, ends with an error on these.
FATAL = '--auto_refine --split_random_halves'


class TestStaFailures(StaCase):
    """What is left of a run that RELION ended with an error."""

    _until = 'class3d'

    def _class3d(self, **values):
        return self.new('ProtStaClass3D', inputParticles=self.output('extract', 'outputParticles'),
                        referenceVolume=self.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter,
                        **dict(SETTINGS.class3d, **values))

    def test_files_of_an_earlier_try_never_become_output(self):
        """A run that was cut off leaves files that look like results; so does a folder that was copied."""
        protocol = self._class3d(other_args=FATAL)
        self.proj.saveProtocol(protocol)
        protocol.makePathsAndClean()
        shutil.copytree(self.done['class3d']._getJobPath(), protocol._getJobPath())
        self.proj.launchProtocol(protocol, wait=True)
        self.assertTrue(protocol.isFailed())
        self.assertEqual(list(protocol.iterOutputAttributes()), [])
        self.assertFalse([name for name in os.listdir(protocol._getJobPath()) if name.startswith('run_it002')])

    def test_the_error_says_what_to_do_and_a_second_try_works(self):
        """The reason is somewhere in thousands of lines of log; people should not have to find it there."""
        protocol = self._class3d(other_args=FATAL)
        self.proj.launchProtocol(protocol, wait=True)
        self.assertTrue(protocol.isFailed())
        told = '\n'.join(protocol.summary())
        self.assertIn('relion_refine: ', told)
        self.assertIn('MPI', told)
        self.assertNotIn('Traceback', told)
        protocol.other_args.set('')
        protocol.runMode.set(MODE_RESUME)
        self.road.launch(protocol)
        self.assertEqual(protocol.outputParticles.getSize(), self.done['class3d'].outputParticles.getSize())


class TestStaForeignMaps(StaCase):
    """Maps of other plugins."""

    _until = 'reconstruct'

    def test_maps_with_other_names_are_used(self):
        """Scipion's other plugins call MRC files .vol:mrc or .map, and half maps what they like."""
        shelf = Shelf(self.proj, self.new('ProtStaMask'))
        average = self.done['reconstruct'].average
        paths = [shelf.path(name) for name in ('map.vol', 'even.vol', 'odd.mrc')]
        for source, path in zip([average.getFileName()] + average.getHalfMaps().split(','), paths):
            shutil.copyfile(source, path)
        volume = Volume()
        volume.setFileName(paths[0] + ':mrc')
        volume.setSamplingRate(SETTINGS.pixel)
        volume.setHalfMaps([paths[1] + ':mrc', paths[2]])
        shelf.put(volume)
        mask = self.run_new('ProtStaMask', inputVolume=volume, **SETTINGS.mask)
        self.assertGreater(mrcfile.read(mask.solventMask.getFileName()).mean(), 0.01)
        sharpened = self.run_new('ProtStaPostProcess', inputVolume=volume, solventMask=mask.solventMask,
                                 **SETTINGS.postprocess)
        halves = sharpened.getResult().half_maps
        self.assertEqual([mrcfile.read(half).tolist() for half in halves],
                         [mrcfile.read(path).tolist() for path in paths[1:]])
