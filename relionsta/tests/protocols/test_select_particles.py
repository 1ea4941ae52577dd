"""Particles kept and rejected: by distance, tomogram and value, and split; what is left for RELION."""
import numpy as np
from pwem.objects import Transform

from relionsta.convert.bulk import read_columns
from relionsta.convert.values import particle_table
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.protocols.subsets import names_of

NUMBER = SCENE.series * SCENE.particles


class TestStaSelectParticles(StaCase):
    """The two sets that come out must be the whole, each particle with its id, pose and row."""

    _until = 'class3d'

    def setUp(self):
        super().setUp()
        self.particles = self.output('class3d', 'outputParticles')
        self.whole = self.particles.get()

    def select(self, **values):
        """Run the protocol; names of what was kept, and of what was rejected."""
        self.protocol = self.run_new('ProtStaSelectParticles', **{'inputParticles': self.particles, **values})
        kept = self.protocol.outputParticles
        rejected = getattr(self.protocol, 'rejectedParticles', None)
        ids = [dict(zip(*(read_columns(items, ['_particleName'])[key] for key in ('_particleName', 'id'))))
               for items in (kept, rejected, self.whole) if items is not None]
        for some in ids[:-1]:
            self.assertLessEqual(some.items(), ids[-1].items())
        return names_of(kept), names_of(rejected) if rejected is not None else []

    def test_by_a_value(self):
        """A threshold that is read as another column, or the wrong way round, keeps the worst particles."""
        rows = self.rows(self.whole.getParticlesStars()[0])['rlnLogLikeliContribution']
        limit = float(np.median(rows))
        kept, rejected = self.select(operation='by a value', column='rlnLogLikeliContribution', minimum=limit)
        self.assertEqual(set(kept), set(rows.index[rows >= limit]))
        self.assertEqual(set(rejected), set(rows.index[rows < limit]))
        self.assertEqual(self.protocol.summary()[0], '%d of %d particles were kept, %d rejected.'
                         % (len(kept), NUMBER, len(rejected)))
        average = self.run_new('ProtStaReconstruct', inputParticles=self.output(self.protocol, 'rejectedParticles'))
        self.assertEqual(list(self.rows(average._getInputPath('particles.star')).index), rejected)

    def test_by_tomogram(self):
        """A session or a bad tilt series taken out must be gone from the tomograms of the set."""
        kept, rejected = self.select(operation='by tomogram', tomograms='*_02', keepOrDrop='drop')
        self.assertEqual((len(kept), len(rejected)), (SCENE.particles, SCENE.particles))
        self.assertEqual(self.protocol.outputParticles.getTSIds(), ['TS_01'])
        self.assertIn('Rejected in TS_02: %d.' % SCENE.particles, self.protocol.summary())

    def test_split(self):
        """Sets that share a particle are no independent halves."""
        for values, sizes in ((dict(splitNumber=3), [6, 5, 5]), (dict(splitBy='particles per set', splitSize=6), [6, 6, 4])):
            with self.part(**values):
                protocol = self.run_new('ProtStaSelectParticles', inputParticles=self.particles, operation='split', **values)
                sets = [names_of(items) for _, items in protocol.iterOutputAttributes()]
                self.assertEqual([len(names) for names in sets], sizes)
                self.assertEqual(len({name for names in sets for name in names}), NUMBER)
                self.assertIn('seed 1', protocol.summary()[0])

    def test_duplicates_at_the_refined_position(self):
        """Particles that a refinement has moved onto each other count once, and the better one stays; positions are
        those after refinement, and disabled particles neither stay nor remove others."""
        names = names_of(self.whole)
        places = dict(zip(names, particle_table(self.whole).positions))
        pixel = self.whole.getSamplingRate()

        def change(item):
            # Another plugin leaves its shift in the transform: each second particle moves to 6 A from the one before.
            name = item.getParticleName()
            place = names.index(name)
            if place % 2 and name[:5] == names[place - 1][:5]:
                matrix = item.getTransform().getMatrix().copy()
                shift = places[name] - places[names[place - 1]] + [0, 6, 0]
                matrix[:3, 3] = matrix[:3, :3] @ shift / pixel
                transform = Transform()
                transform.setMatrix(matrix)
                item.setTransform(transform)
            item.setEnabled(name != names[2])

        moved = Shelf(self.proj, self.new('ProtStaReconstruct')).changed(self.whole, 'moved', change)
        self.particles = self.whole = moved
        kept, rejected = self.select(operation='remove duplicates', distance=10.0)
        self.assertEqual(rejected, names[1:2] + names[5::2])
        self.assertEqual(kept, names[0:1] + names[3:4] + names[4::2])
        self.assertIn('(1 more were disabled and are left out)', self.protocol.summary()[0])
        column = 'rlnLogLikeliContribution'
        score = dict(zip(names, particle_table(moved).columns.set_index('rlnTomoParticleName')[column].reindex(names)))
        kept, _ = self.select(operation='remove duplicates', distance=10.0, best='the one with the highest value',
                              bestColumn=column)
        for one, two in zip(names[4::2], names[5::2]):
            self.assertEqual([name in kept for name in (one, two)], [score[one] >= score[two], score[two] > score[one]])

    def test_what_is_refused(self):
        """A slip must be told before the run, with the names and values that there are."""
        self.assertIn('rlnLogLikeliContribution', read_star(self.whole.getParticlesStars()[0])['particles'])
        for values, message in (
                (dict(operation='by a value', column='rlnNothing', minimum=0.0), 'they have: rlnCenteredCoordinateXAngst'),
                (dict(operation='by a value', column='rlnImageName', minimum=0.0), 'no column rlnImageName with numbers'),
                (dict(operation='by a value', minimum=5.0), 'none of the 16 particles would be kept. '
                                                            'rlnMaxValueProbDistribution goes from'),
                (dict(operation='by a value'), 'both empty'),
                (dict(operation='by a value', minimum=2.0, maximum=1.0), 'Give the lower one first'),
                (dict(operation='by tomogram', tomograms='TS_1*'), 'TS_1* fits no tomogram of these particles'),
                (dict(operation='by tomogram', tomograms='*', keepOrDrop='drop'), 'none of the 16 particles'),
                (dict(operation='remove duplicates', distance=-1.0), 'must be above 0'),
                (dict(operation='split', splitNumber=17), 'Give 1 to 16')):
            with self.part(**values):
                errors = self.new('ProtStaSelectParticles', inputParticles=self.particles, **values).validate()
                self.assertEqual(len(errors), 1, errors)
                self.assertIn(message, errors[0])
                self.assertTrue(errors[0].startswith('*'), errors)
