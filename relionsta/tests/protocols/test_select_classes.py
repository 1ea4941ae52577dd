"""Classification without alignment, and the particles of chosen classes."""
import os
import shutil

import numpy as np

from relionsta.convert.bulk import read_columns
from relionsta.convert.classes import class_members
from relionsta.objects import SetOfClassesSta3D
from relionsta.results.maps import read_header
from relionsta.results.model import read_model
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS

NUMBER = SCENE.series * SCENE.particles
PMAX = 'rlnMaxValueProbDistribution'
LIKELIHOOD = 'rlnLogLikeliContribution'
POSE = ['rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi', 'rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst',
        'rlnCenteredCoordinateXAngst', 'rlnCenteredCoordinateYAngst', 'rlnCenteredCoordinateZAngst']


class TestStaSelectClasses(StaCase):
    """The classes of the road's classification without alignment."""

    _until = 'select'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.star = cls.done['classify']._getJobPath('run_it%03d_data.star' % SETTINGS.classify['nr_iter'])
        cls.file = cls.rows(cls.star)
        sizes = cls.file['rlnClassNumber'].value_counts()
        cls.number, cls.size = int(sizes.index[-1]), int(sizes.iloc[-1])  # the smallest class

    def _new(self, classes=None, **values):
        return self.new('ProtStaSelectClasses', inputClasses=classes or self.output('classify', 'outputClasses'), **values)

    def _names(self, particles):
        return list(read_columns(particles, ['_particleName'])['_particleName'])

    def _check_split(self, protocol, kept):
        """Kept and rejected particles are `kept` and all others, each once, with the ids that they always had."""
        first = read_columns(self.done['extract'].outputParticles, ['_particleName'])
        ids = dict(zip(first['_particleName'], first['id']))
        rejected = set(ids) - set(kept)
        for particles, names in ((protocol.outputParticles, kept), (protocol.rejectedParticles, rejected)):
            columns = read_columns(particles, ['_particleName'])
            self.assertEqual(sorted(columns['_particleName']), sorted(names))
            self.assertEqual(list(columns['id']), [ids[name] for name in columns['_particleName']])
            self.assertEqual(particles.getBoxSize(), SETTINGS.box)
            self.assertEqual(particles.getTomogramsStars(), self.done['classify'].outputParticles.getTomogramsStars())
            self.assertIsNotNone(particles.getCoordinates3D())
        self.assertIn('Kept %d of %d particles' % (len(kept), len(ids)), protocol.summary()[0])

    def test_poses_stay_without_alignment(self):
        """A classification that was told not to align and moves particles spoils the refinement that follows."""
        paths = ['_particleName', '_transform._matrix', '_coordinate._x', '_coordinate._y', '_coordinate._z']
        before, after = (read_columns(self.done[job].outputParticles, paths) for job in ('class3d', 'classify'))
        self.assertEqual(list(before['_particleName']), list(after['_particleName']))
        for path in paths[1:]:
            np.testing.assert_allclose(after[path], before[path], atol=1e-4, err_msg=path)
        aligned = self.rows(self.done['class3d'].outputParticles.getFirstItem().getParticlesStar())
        for column in POSE:
            np.testing.assert_allclose(self.file[column], aligned.loc[self.file.index, column], atol=1e-4, err_msg=column)
        self.assertTrue(1 <= self.size < NUMBER, 'one class has all particles: these tests would show nothing')

    def test_all_classes_are_all_particles(self):
        """The road's own selection chooses nothing: it must lose nothing, and say so."""
        protocol = self.done['select']
        self.assertEqual(self._names(protocol.outputParticles), self._names(self.done['classify'].outputParticles))
        self.assertFalse(hasattr(protocol, 'rejectedParticles'))
        self.assertIn('rejected none', protocol.summary()[0])
        self.assertEqual(self._new(selectBy='nothing (all classes)').validate(), [])
        self.assertIn('nothing is rejected', ' '.join(self._new(selectBy='nothing (all classes)').warnings()))

    def test_a_class_by_its_number_reaches_the_next_job(self):
        """Particles of another class, or of all, in the next job undo the classification without a word."""
        protocol = self._new(classNumbers=str(self.number))
        self.assertEqual(protocol.warnings(), [])
        self.road.launch(protocol)
        kept = set(self.file.index[self.file['rlnClassNumber'] == self.number])
        self._check_split(protocol, kept)
        averages = [average.clone() for average in protocol.outputAverages]
        self.assertEqual([average.getObjId() for average in averages], [self.number])
        self.assertTrue(averages[0].getFileName().endswith('run_it%03d_class%03d.mrc'
                                                           % (SETTINGS.classify['nr_iter'], self.number)))
        self.assertEqual(read_header(averages[0].getFileName()).size, (SETTINGS.box,) * 3)
        self.assertAlmostEqual(averages[0].getSamplingRate(), SETTINGS.pixel, places=4)
        average = self.run_new('ProtStaReconstruct', inputParticles=self.output(protocol, 'outputParticles'))
        given = self.rows(average._getInputPath('particles.star'))
        self.assertEqual(set(given.index), kept)
        np.testing.assert_allclose(given[POSE], self.file.loc[given.index, POSE], atol=1e-6)
        self.assertEqual(set(given['rlnClassNumber']), {self.number})

    def test_particles_by_their_values(self):
        """A limit that is not used, or used on the wrong rows, keeps the uncertain particles."""
        limit = float(self.file[LIKELIHOOD].median())
        kept = set(self.file.index[self.file[LIKELIHOOD] >= limit])
        self.assertTrue(0 < len(kept) < NUMBER)
        protocol = self._new(selectBy='nothing (all classes)', likelihoodFrom=limit)
        self.road.launch(protocol)
        self._check_split(protocol, kept)

    def test_criteria_choose_classes(self):
        """A limit in wrong units chooses no class, or all."""
        model = read_model(self.star.replace('_data', '_model'))
        smallest = model.classes[self.number - 1]
        protocol = self._new(selectBy='criteria', minShare=100 * smallest.distribution + 0.5)
        self.assertEqual(protocol.validate(), [])
        self.road.launch(protocol)
        self._check_split(protocol, set(self.file.index[self.file['rlnClassNumber'] != self.number]))
        told = '\n'.join(protocol.summary())
        self.assertIn('% of the particles', told)
        self.assertIn('class %d' % self.number, told)

    def test_another_iteration_gives_its_own_poses(self):
        """Poses of the last iteration under the classes of an earlier one belong to neither."""
        protocol = self.new('ProtStaSelectClasses', inputClasses=self.output('class3d', 'outputClasses'), iteration=1,
                            selectBy='nothing (all classes)', pmaxFrom=0.0)
        self.road.launch(protocol)
        star = self.done['class3d']._getJobPath('run_it001_data.star')
        particles = protocol.outputParticles
        self.assertEqual(particles.getParticlesStars(), [star])
        self.assertEqual(self._names(particles), self._names(self.done['class3d'].outputParticles))
        self.assertTrue(protocol.outputAverages.getFirstItem().getFileName().endswith('run_it001_class001.mrc'))
        self.assertIn('Iteration 1', protocol.summary()[1])
        matrices = [read_columns(one, ['_transform._matrix'])['_transform._matrix']
                    for one in (particles, self.done['class3d'].outputParticles)]
        self.assertGreater(np.abs(matrices[0] - matrices[1]).max(), 1e-3)

    def test_classes_picked_in_the_viewer(self):
        """A subset of classes made in Scipion means exactly its particles, and no class besides."""
        listed = self.done['classify']._getExtraPath('picked.txt')
        with open(listed, 'w') as handle:
            handle.write(str(self.number))
        picked = self.run_new('ProtUserSubSet', inputObject=self.output('classify', 'outputClasses'),
                              sqliteFile=listed + ',', outputClassName='SetOfClassesSta3D')
        name, classes = next(picked.iterOutputAttributes())
        self.assertEqual([one.getObjId() for one in classes], [self.number])
        kept = set(self.file.index[self.file['rlnClassNumber'] == self.number])
        pointer = self.output(picked, name)
        protocol = self._new(pointer, selectBy='nothing (all classes)')
        self.road.launch(protocol)
        self.assertEqual(set(self._names(protocol.outputParticles)), kept)
        other = next(number for number in set(self.file['rlnClassNumber']) if number != self.number)
        self._refused(self._new(pointer, classNumbers=str(other)), str(other), 'has the classes %d ' % self.number)

    def test_particles_disabled_in_scipion_stay_out(self):
        """A particle that a user unticked must not come back through its class."""
        copy = self.done['classify']._getExtraPath('disabled.sqlite')
        shutil.copy(self.done['classify'].outputClasses.getFileName(), copy)
        classes = SetOfClassesSta3D(filename=copy)
        self.assertEqual(len(class_members(classes)), NUMBER)
        one = classes[self.number]
        item = one.getFirstItem()
        item.setEnabled(False)
        one.update(item)
        one.write(properties=False)
        members = class_members(classes)
        self.assertEqual(set(members['name']), set(self.file.index) - {item.getParticleName()})

    def _refused(self, protocol, *words):
        told = '\n'.join(protocol.validate())
        for word in words:
            self.assertIn(word, told)

    def test_what_cannot_be_chosen_is_refused_with_what_can(self):
        """Without a message that says what there is, a user can only guess."""
        last = SETTINGS.classify['nr_iter']
        for words, values in (
                (('7', 'has the classes 1-2'), dict(classNumbers='1,7')),
                (('"x"', 'Classes to keep'), dict(classNumbers='1,x')),
                (('empty', 'Classes to keep'), dict(classNumbers='')),
                (('at least one limit',), dict(selectBy='criteria')),
                (('no class has resolution 1 Å', 'class 1:'), dict(selectBy='criteria', maxResolution=1.0)),
                (('None of the %d' % NUMBER, PMAX), dict(selectBy='nothing (all classes)', pmaxFrom=1.5)),
                (('Exchange them', 'Pmax'), dict(selectBy='nothing (all classes)', pmaxFrom=0.9, pmaxTo=0.1)),
                (('iteration 9 is not complete', '1-%d' % last), dict(classNumbers='1', iteration=9))):
            with self.part(**values):
                self._refused(self._new(**values), *words)

    def test_a_run_that_is_gone_is_named(self):
        """Files that were cleaned away must not end in a traceback in the form."""
        hidden = self.star + '.hidden'
        os.rename(self.star, hidden)
        try:
            self._refused(self._new(classNumbers='1'), self.star)
        finally:
            os.rename(hidden, self.star)
        self.assertTrue(read_star(self.star, ['particles']))
