"""Particles of two sessions in one set: all tomograms arrive, nothing is taken for another, RELION averages all."""
import os
import re

import numpy as np

from relionsta.convert.bulk import read_columns
from relionsta.simulate.truth import compare_maps, read_truth
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import OTHER_SESSION, SCENE, SETTINGS, scene_folder
from relionsta.tests.protocols.subsets import add_inputs, by_join, by_split, names_of

NUMBER = SCENE.series * SCENE.particles
BOTH = NUMBER + OTHER_SESSION.series * OTHER_SESSION.particles
#: Å; the maps of these few particles say nothing beyond.
RESOLUTION = 30.0


class TestStaJoin(StaCase):
    """The second session has other images under the same names: TS_01 and TS_02, particles TS_01/1 and so on."""

    _until = 'class3d'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if 'second' not in cls.done:
            folder = str(scene_folder(OTHER_SESSION))
            imported = cls.run_new('ProtStaImportAreTomo3', filesPath=folder + '/aretomo3')
            picks = cls.run_new('ProtStaImportPicks', filesPath=folder + '/picks/all_particles.star',
                                inputTomograms=cls.output(imported, 'tomograms'))
            cls.done['second'] = cls.run_new(
                'ProtStaExtract', inputCoordinates=cls.output(picks, 'outputCoordinates'),
                inputTiltSeries=cls.output(imported, 'tiltSeries'), inputCtfs=cls.output(imported, 'ctfs'),
                box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box)
            cls.done['joined'] = cls.road.launch(cls.joining(
                cls.output('extract', 'outputParticles'), cls.output('second', 'outputParticles'),
                sameTomograms='rename those of later inputs'))

    @classmethod
    def joining(cls, *inputs, **values):
        """Join particles with these inputs, not run."""
        protocol = cls.new('ProtStaJoin', **values)
        add_inputs(protocol, inputs)
        return protocol

    def test_two_sessions_with_the_same_names_become_one_set(self):
        """A tilt series in the place of another averages particles at places where there are none."""
        joined = self.done['joined']
        particles = joined.outputParticles
        self.assertEqual(particles.getSize(), BOTH)
        self.assertEqual(particles.getTSIds(), ['S2_TS_01', 'S2_TS_02', 'TS_01', 'TS_02'])
        self.assertEqual(len(set(names_of(particles))), BOTH)
        self.assertEqual(set(joined.outputTomograms.getTSIds()), set(particles.getTSIds()))
        self.assertIn('Input 2: 16 of 16 particles; tilt series renamed: TS_01 to S2_TS_01, TS_02 to S2_TS_02.',
                      joined.summary())
        # Images stay where they are, and poses what they were.
        paths = ['_filename', '_transform._matrix', '_particleName']
        second, mine = (read_columns(items, paths) for items in (self.done['second'].outputParticles, particles))
        self.assertEqual(list(mine['_filename'][NUMBER:]), list(second['_filename']))
        self.assertTrue(all(map(os.path.exists, mine['_filename'])))
        np.testing.assert_array_equal(mine['_transform._matrix'][NUMBER:], second['_transform._matrix'])
        self.assertEqual(list(mine['_particleName'][NUMBER:]), ['S2_' + name for name in second['_particleName']])
        # Places in the tomograms are those of the session that the particle comes from.
        for coordinate in joined.outputCoordinates.iterCoordinates():
            self.assertEqual(coordinate.getVolume().getTsId(), coordinate.getTomoId())

    def test_the_average_of_both_sessions(self):
        """All particles must go into the average, each with its own images: it is better than that of one session."""
        protocol = self.run_new('ProtStaReconstruct', inputParticles=self.output('joined', 'outputParticles'))
        self.assertIn('Average of %d particles from 4 tilt series' % BOTH, protocol.summary()[0])
        truth = read_truth(scene_folder())
        one, both = (compare_maps(run.average.getFileName(), truth, RESOLUTION).cc
                     for run in (self.done['reconstruct'], protocol))
        self.assertGreater(both, one)
        again = self.run_new('ProtStaExtract', inputCoordinates=self.output('joined', 'outputParticles'),
                             box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box)
        self.assertEqual(set(names_of(again.outputParticles)), set(names_of(self.done['joined'].outputParticles)))

    def test_scipions_own_join_of_two_sessions(self):
        """Scipion's join knows the tomograms of its first set only; RELION must get those of all."""
        joined, refined = self.output('joined', 'outputParticles'), self.output('class3d', 'outputParticles')
        half = self.run_new('ProtStaSelectParticles', inputParticles=joined, operation='by tomogram',
                            tomograms='S2_*')
        union = by_join(self, refined, self.output(half, 'outputParticles'))
        protocol = self.run_new('ProtStaReconstruct', inputParticles=union)
        rows = self.rows(protocol._getInputPath('particles.star'))
        self.assertEqual(list(rows.index), names_of(refined) + names_of(half.outputParticles))
        tomograms = read_star(protocol._getInputPath('tomograms.star'), ['global'])['global']
        self.assertEqual(set(tomograms['rlnTomoName']), set(rows['rlnTomoName']))
        sources = self.rows(refined.get().getParticlesStars()[0]), self.rows(joined.get().getParticlesStars()[0])
        for label in ('rlnAngleRot', 'rlnOriginXAngst', 'rlnCenteredCoordinateZAngst', 'rlnClassNumber'):
            expected = [table[label] if label in table else table['rlnAngleRot'] * 0 for table in sources]
            np.testing.assert_allclose(rows[label][:NUMBER], expected[0].loc[rows.index[:NUMBER]], atol=1e-6)
            np.testing.assert_allclose(rows[label][NUMBER:], expected[1].loc[rows.index[NUMBER:]], atol=1e-6)
        # The next job on what came of it needs the same tomograms.
        refined = self.run_new('ProtStaClass3D', inputParticles=union, nr_iter=1, dont_skip_align=False,
                               referenceVolume=self.output('reconstruct', 'average'),
                               particle_diameter=SETTINGS.diameter)
        self.assertEqual(refined.outputParticles.getTSIds(), ['S2_TS_01', 'S2_TS_02', 'TS_01', 'TS_02'])
        self.assertEqual(self.new('ProtStaReconstruct', inputParticles=refined.outputParticles).validate(), [])

    def test_clashes_are_refused_before_the_run(self):
        """Each of these gave RELION one of two tilt series or particles of a name."""
        first, second = self.output('extract', 'outputParticles'), self.output('second', 'outputParticles')
        refined = self.output('class3d', 'outputParticles')
        binned = self.run_new('ProtStaExtract', inputCoordinates=first, box_size_angst=192.0, binned_size_pix=16)
        for message, inputs in (
                ('2 tilt series of input 2 (TS_01, TS_02) are called like others', (first, second)),
                ('16 particles of input 2 are called like others of the inputs before it, the first of them TS_01/1',
                 (first, refined)),
                ('the box (pixels) of input 1 is 24 and that of input 2 is 16',
                 (first, self.output(binned, 'outputParticles')))):
            with self.part(refused=message):
                errors = self.joining(*inputs).validate()
                self.assertEqual(len(errors), 1, errors)
                self.assertIn(message, errors[0])
        for way in ((first, second), (first, refined)):
            with self.part(joined=way):
                errors = self.new('ProtStaReconstruct', inputParticles=by_join(self, *way)).validate()
                self.assertEqual(len(errors), 1, errors)
                self.assertTrue(re.search('Join particles', errors[0]), errors)

    def test_subsets_that_overlap(self):
        """Joined parts keep their ids, and a particle that is in two of them counts once."""
        whole = self.output('extract', 'outputParticles')
        parts = by_split(self, whole, number=4)
        protocol = self.road.launch(self.joining(parts[2], whole, parts[0],
                                                 sameParticles='same particles: keep the first'))
        ids = {name: number for name, number in zip(*(read_columns(whole.get(), ['_particleName'])[key]
                                                      for key in ('_particleName', 'id')))}
        mine = read_columns(protocol.outputParticles, ['_particleName'])
        self.assertEqual({name: number for name, number in zip(mine['_particleName'], mine['id'])}, ids)
        self.assertEqual(protocol.summary()[1:], [
            'Input 1: 4 of 4 particles.', 'Input 2: 12 of 16 particles, 4 were there already.',
            'Input 3: 0 of 4 particles, 4 were there already.'])
        self.assertFalse(hasattr(protocol, 'outputTomograms'))
