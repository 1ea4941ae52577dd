"""Half of the particles, dropped in Scipion in every way, reaches RELION as exactly those."""
import mrcfile
import numpy as np
from pyworkflow.protocol import params

import relionsta.protocols
from relionsta.protocols.select_particles import SPLIT
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.protocols.subsets import WAYS, add_inputs, by_hand, by_split, half_set, names_of, two_classes

NUMBER = SCENE.series * SCENE.particles
#: Jobs of RELION by the name of their input of particles: these files are looked at.
WRITTEN = {'ProtStaClass3D': 'inputParticles', 'ProtStaRefine3D': 'inputParticles',
           'ProtStaInitialModel': 'inputParticles', 'ProtStaCtfRefine': 'inputParticles',
           'ProtStaPolish': 'inputParticles', 'ProtStaSubtract': 'someParticles'}
RUN = {'ProtStaExtract': 'inputCoordinates', 'ProtStaReconstruct': 'inputParticles',
       'ProtStaReconstructTomograms': 'inputTiltSeries', 'ProtStaSelectParticles': 'inputParticles',
       'ProtStaSymmetryExpand': 'inputParticles', 'ProtStaExportRelion': 'inputResult', 'ProtStaJoin': 'inputSets'}
#: takes back what particle subtraction has given
REVERT = {'ProtStaSubtract': 'subtractedParticles'}
#: hands its particles to runs of those protocols; test_refinement_cycle.py looks at what these take
HANDED_ON = {'ProtStaRefinementCycle': 'inputParticles'}


class TestStaSubsets(StaCase):
    """Particles that were thrown away must not come back, and no other may go."""

    _until = 'class3d'

    def test_reconstruction_and_extraction_of_half_the_particles(self):
        """A job that takes the file of the whole set in place of the set averages what was thrown away."""
        particles = self.output('class3d', 'outputParticles')
        whole = self.rows(particles.get().getFirstItem().getParticlesStar())
        classes = two_classes(self, particles)
        for way in WAYS:
            with self.part(way=way):
                half = half_set(self, way, particles, classes)
                names = names_of(half)
                self.assertTrue(0 < len(names) < NUMBER, len(names))
                again, averaged = self.road.together(
                    self.new('ProtStaExtract', inputCoordinates=half, box_size_angst=SETTINGS.box_angst,
                             binned_size_pix=SETTINGS.box),
                    self.new('ProtStaReconstruct', inputParticles=half))
                average = averaged.average
                self.assertEqual(names_of(again.outputParticles), names)
                images = self.rows(again._getJobPath('particles.star'))['rlnImageName']
                self.assertEqual(images.nunique(), len(names))
                rows = self.rows(self._input(average))
                self.assertEqual(list(rows.index), names)
                for column in ('rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi', 'rlnOriginXAngst',
                               'rlnCenteredCoordinateXAngst'):
                    np.testing.assert_allclose(rows[column], whole.loc[names, column], atol=1e-6)
                with mrcfile.open(average.getFileName(), header_only=True) as mrc:
                    self.assertEqual(int(mrc.header.nx), SETTINGS.box)

                self._check_written(half, names)
                self._check_tools(half, names)

    def _check_written(self, half, names):
        """Every job of RELION gets exactly these rows."""
        for name, attribute in WRITTEN.items():
            protocol = self.new(name, referenceVolume=self.output('reconstruct', 'average'), **{attribute: half}) \
                if name not in ('ProtStaInitialModel', 'ProtStaSubtract') else self.new(name, **{attribute: half})
            self.proj.saveProtocol(protocol)
            protocol.makePathsAndClean()
            protocol.convertInputStep('')
            rows = self.rows(protocol._inputFiles().particles)
            self.assertEqual(list(rows.index), names, name)
            known = read_star(protocol._inputFiles().tomograms, ['global'])['global']['rlnTomoName']
            self.assertTrue(set(rows['rlnTomoName']) <= set(known), name)

    def _check_tools(self, half, names):
        """What is done to particles without RELION is done to exactly these."""
        join = self.new('ProtStaJoin')
        add_inputs(join, by_split(self, half))
        expanded, _, split, export = self.road.together(
            self.new('ProtStaSymmetryExpand', inputParticles=half, sym_name='C2'), join,
            self.new('ProtStaSelectParticles', inputParticles=half, operation=SPLIT),
            self.new('ProtStaExportRelion', inputResult=half, kind='STAR files of the particles'))
        self.assertEqual(len(names_of(expanded.outputParticles)), 2 * len(names))
        self.assertEqual({name.rpartition('_s')[0] for name in names_of(expanded.outputParticles)}, set(names))
        tomograms = self.new('ProtStaReconstructTomograms', inputTiltSeries=half)
        self.proj.saveProtocol(tomograms)
        tomograms.makePathsAndClean()
        tomograms.convertInputStep('')
        known = read_star(tomograms._getInputPath('tomograms.star'), ['global'])['global']['rlnTomoName']
        self.assertEqual(set(known), set(half.get().getTSIds()))
        self.assertEqual(sorted(names_of(join.outputParticles)), sorted(names))
        parts = [names_of(output) for _, output in split.iterOutputAttributes()]
        self.assertEqual(sorted(sum(parts, [])), sorted(names))
        self.assertEqual(list(self.rows(export.getExportFolder() + '/particles.star').index), names)

    def test_no_protocol_is_left_out(self):
        """A new protocol that takes particles must be tried with subsets too."""
        taken = {(name, parameter) for name in relionsta.protocols.__all__
                 for parameter, param in self.new(name).getDefinition().iterParams()
                 if isinstance(param, (params.PointerParam, params.MultiPointerParam))
                 and 'SetOfStaParticles' in str(param.pointerClass)}
        self.assertEqual(taken, {item for table in (WRITTEN, RUN, REVERT, HANDED_ON) for item in table.items()})

    @staticmethod
    def _input(average):
        """The particles STAR that RELION got for an average."""
        return average.getFileName().replace('job001/merged.mrc', 'job000/particles.star')

    def test_one_particle_and_none(self):
        """One particle has no half maps: an empty one would go into an FSC. None, or none enabled, is told before."""
        whole = self.output('class3d', 'outputParticles')
        one = by_hand(self, whole, [5])
        average = self.run_new('ProtStaReconstruct', inputParticles=one)
        self.assertIn('Average of 1 particles from 1 tilt series', average.summary()[0])
        self.assertEqual(average.average.getHalfMaps(), '')
        shelf = Shelf(self.proj, self.new('ProtStaReconstruct'))
        off = shelf.changed(whole.get(), 'off', change=lambda item: item.setEnabled(False))
        empty = shelf.changed(whole.get(), 'empty', keep=lambda item: False)
        half = shelf.changed(whole.get(), 'half', change=lambda item: item.setRandomSubset(1),
                             keep=lambda item: item.getObjId() < 4)
        self.assertEqual(self.run_new('ProtStaReconstruct', inputParticles=half).average.getHalfMaps(), '')
        for items, message in ((off, 'all 16 particles of the set are disabled'), (empty, 'no particles')):
            for name, values in (('ProtStaReconstruct', dict(inputParticles=items)),
                                 ('ProtStaExtract', dict(inputCoordinates=items)),
                                 ('ProtStaSelectParticles', dict(inputParticles=items)),
                                 ('ProtStaSymmetryExpand', dict(inputParticles=items, sym_name='C2'))):
                with self.part(protocol=name, message=message):
                    errors = self.new(name, **values).validate()
                    self.assertEqual(len(errors), 1, errors)
                    self.assertTrue(message in errors[0] or 'the set is empty' in errors[0], errors)
