"""Select particles."""
import numpy as np
from pyworkflow.protocol import params

from ..convert.errors import ConvertError
from ..convert.values import particle_table, subset
from ..objects import SetOfStaParticles
from ..results import select
from . import checks
from .tool import ProtStaToolBase

OPERATIONS = ['remove duplicates', 'by tomogram', 'by a value', 'split']
DUPLICATES, TOMOGRAMS, VALUE, SPLIT = range(4)
BEST = ['the first', 'the one with the highest value', 'the one with the lowest value']
FIRST, HIGHEST, LOWEST = range(3)
KEEP, DROP = range(2)
BY_NUMBER, BY_SIZE = range(2)
KEPT, REJECTED, PART = 'outputParticles', 'rejectedParticles', 'outputParticles%02d'
#: tilt series that the summary names
MOST_SERIES = 5


class ProtStaSelectParticles(ProtStaToolBase):
    """ Keep some of the particles: without duplicates, of some tomograms, by a value, or in parts.

    Duplicates: after a refinement, particles that were picked twice have moved onto the same place, and would count
    twice, also once in each half set; the distance is usually a third to a half of the particle's diameter.
    By a value: any column that RELION has for the particles, such as rlnMaxValueProbDistribution (certainty of the
    pose), rlnLogLikeliContribution or rlnAutopickFigureOfMerit (score of the pick).
    """

    _label = 'Select particles'
    _possibleOutputs = {KEPT: SetOfStaParticles, REJECTED: SetOfStaParticles}

    def _defineParams(self, form):
        form.addSection(label='Select')
        form.addParam('inputParticles', params.PointerParam, pointerClass='SetOfStaParticles', important=True,
                      label='Particles', help='Particles of any job. Those that are disabled are left out.')
        form.addParam('operation', params.EnumParam, choices=OPERATIONS, default=DUPLICATES,
                      display=params.EnumParam.DISPLAY_COMBO, label='Select',
                      help='remove duplicates: no two particles nearer to each other than a distance. by tomogram: those '
                           'of some tomograms. by a value: those with a value in a range. split: several sets.')
        self._defineDuplicates(form)
        self._defineChoices(form)
        self._defineSplit(form)

    @staticmethod
    def _defineDuplicates(form):
        condition = 'operation == %d' % DUPLICATES
        form.addParam('distance', params.FloatParam, default=50, allowsNull=True, condition=condition,
                      label='Minimum distance (Å)',
                      help='Between the refined positions of two particles of one tomogram. A third to a half of the '
                           'diameter is usual: 80 to 120 for a ribosome.')
        form.addParam('best', params.EnumParam, choices=BEST, default=FIRST, condition=condition,
                      display=params.EnumParam.DISPLAY_COMBO, label='Keep of two',
                      help='The first: in the order of the set.')
        form.addParam('bestColumn', params.StringParam, default='rlnAutopickFigureOfMerit', label='Value of the better one',
                      condition='%s and best != %d' % (condition, FIRST),
                      help='RELION\'s name of a column: rlnAutopickFigureOfMerit is the score of the pick, '
                           'rlnMaxValueProbDistribution the certainty of the pose after a refinement.')

    @staticmethod
    def _defineChoices(form):
        condition = 'operation == %d' % TOMOGRAMS
        form.addParam('keepOrDrop', params.EnumParam, choices=['keep', 'drop'], default=KEEP, condition=condition,
                      display=params.EnumParam.DISPLAY_HLIST, label='Keep or drop',
                      help='Keep the particles of these tomograms alone, or all but them.')
        form.addParam('tomograms', params.StringParam, default='', condition=condition, label='Tomograms',
                      help='Names, apart by blanks or commas; * stands for any text and ? for any letter: TS_01 TS_1*')
        condition = 'operation == %d' % VALUE
        form.addParam('column', params.StringParam, default='rlnMaxValueProbDistribution', condition=condition,
                      label='Value',
                      help='RELION\'s name of a column with numbers, for example rlnMaxValueProbDistribution, '
                           'rlnLogLikeliContribution, rlnAutopickFigureOfMerit or rlnCenteredCoordinateZAngst. A name that '
                           'is not there is refused, with those that are.')
        form.addParam('minimum', params.FloatParam, allowsNull=True, default=None, condition=condition,
                      label='Lowest value', help='Included. Empty: no lower limit.')
        form.addParam('maximum', params.FloatParam, allowsNull=True, default=None, condition=condition,
                      label='Highest value', help='Included. Empty: no upper limit.')

    @staticmethod
    def _defineSplit(form):
        condition = 'operation == %d' % SPLIT
        form.addParam('splitBy', params.EnumParam, choices=['number of sets', 'particles per set'], default=BY_NUMBER,
                      condition=condition, display=params.EnumParam.DISPLAY_HLIST, label='Split by',
                      help='Say how many sets are wanted, or how large they shall be.')
        form.addParam('splitNumber', params.IntParam, default=2, allowsNull=True, label='Number of sets',
                      condition='%s and splitBy == %d' % (condition, BY_NUMBER),
                      help='All sets get the same number of particles (to one).')
        form.addParam('splitSize', params.IntParam, default=1000, allowsNull=True, label='Particles per set',
                      condition='%s and splitBy == %d' % (condition, BY_SIZE), help='The last set gets the rest.')
        form.addParam('atRandom', params.BooleanParam, default=True, condition=condition, label='At random?',
                      help='No: in the order of the set.')
        form.addParam('seed', params.IntParam, default=1, allowsNull=True, label='Random seed',
                      condition='%s and atRandom' % condition,
                      help='The same number gives the same sets.')

    # ------------------------------------------------------------------ work
    def _makeOutputs(self):
        table = particle_table(self.inputParticles.get())
        if self.operation.get() == SPLIT:
            part = self._parts(len(table.ids))
            chosen = {PART % (number + 1): part == number for number in range(part.max() + 1)}
        else:
            keep = self._kept(table)
            chosen = {KEPT: keep, REJECTED: ~keep}
        for name, mask in chosen.items():
            if mask.any():
                self._defineSubset(name, table.ids[mask])
        return self._report(table, chosen)

    def _kept(self, table):
        """True for the particles of a particle_table that stay."""
        operation = self.operation.get()
        if operation == TOMOGRAMS:
            found = select.matches(table.tomograms, select.split_patterns(self.tomograms.get('')))
            return found if self.keepOrDrop.get() == KEEP else ~found
        if operation == VALUE:
            return select.in_range(table.values(self.column.get('')), self.minimum.get(), self.maximum.get())
        score = None
        if self.best.get() != FIRST:
            score = table.values(self.bestColumn.get('')) * (1 if self.best.get() == HIGHEST else -1)
        return select.apart(table.positions, table.tomograms, self.distance.get(), score)

    def _parts(self, number):
        by_size = self.splitBy.get() == BY_SIZE
        return select.parts(number, None if by_size else self.splitNumber.get(),
                            self.splitSize.get() if by_size else None, self.seed.get() if self.atRandom.get() else None)

    def _defineSubset(self, name, ids):
        particles = self._newParticles(name)
        subset(self.inputParticles.get(), particles, ids)
        particles.write()
        self._defineOutputs(**{name: particles})
        self._defineTransformRelation(self.inputParticles, particles)

    # ----------------------------------------------------------------- checks
    def _hasInputs(self):
        return self.inputParticles.get() is not None

    def _validateInputs(self):
        particles, operation = self.inputParticles.get(), self.operation.get()
        errors = checks.checkParticles('Particles', particles, extracted=False) or self._checkNumbers()
        if errors:
            return errors
        if operation == SPLIT:
            return self._checkSplit(len(particle_table(particles).ids))
        table = particle_table(particles)
        if operation == TOMOGRAMS:
            errors = self._checkPatterns(table.tomograms)
        try:
            if not errors and not self._kept(table).any():
                errors = ['*%s*: none of the %d particles would be kept. %s'
                          % ('Value' if operation == VALUE else 'Tomograms', len(table.ids), self._why(table))]
        except ConvertError as error:
            errors = ['*Value*: %s.' % error]
        return errors

    def _checkNumbers(self):
        operation, low, high = self.operation.get(), self.minimum.get(), self.maximum.get()
        if operation == DUPLICATES and self.distance.get() <= 0:
            return ['*Minimum distance (Å)*: %g, and it must be above 0.' % self.distance.get()]
        if operation == VALUE and low is None and high is None:
            return ['*Lowest value* and *Highest value* are both empty. Give a limit.']
        if operation == VALUE and None not in (low, high) and low > high:
            return ['*Lowest value*: %g, which is above *Highest value*, %g. Give the lower one first.' % (low, high)]
        return []

    def _checkPatterns(self, tomograms):
        patterns, there = select.split_patterns(self.tomograms.get('')), sorted(set(tomograms))
        if not patterns:
            return ['*Tomograms*: empty. Give names; there are: %s.' % checks.someOf(there)]
        unknown = [pattern for pattern in patterns if not select.matches(there, [pattern]).any()]
        if unknown:
            return ['*Tomograms*: %s fits no tomogram of these particles; there are: %s. Correct '
                    'the name.' % (checks.someOf(unknown), checks.someOf(there))]
        return []

    def _checkSplit(self, number):
        label, asked = (('Particles per set', self.splitSize.get()) if self.splitBy.get() == BY_SIZE else
                        ('Number of sets', self.splitNumber.get()))
        if not 1 <= asked <= number:
            return ['*%s*: %d, and there are %d particles. Give 1 to %d.' % (label, asked, number, number)]
        return []

    def _why(self, table):
        if self.operation.get() != VALUE:
            return 'Choose other tomograms.'
        values = table.values(self.column.get(''))
        return '%s goes from %.4g to %.4g; give other limits.' % (self.column.get(), np.nanmin(values), np.nanmax(values))

    # ---------------------------------------------------------------- reports
    def _report(self, table, chosen):
        """The lines of the summary: counts before and after."""
        disabled = self.inputParticles.get().getSize() - len(table.ids)
        rest = ' (%d more were disabled and are left out)' % disabled if disabled else ''
        if KEPT not in chosen:
            return ['%d particles%s were split %s into %d sets: %s.' % (
                len(table.ids), rest, 'at random (seed %d)' % self.seed.get() if self.atRandom.get() else 'in order',
                len(chosen), checks.someOf(['%d' % mask.sum() for mask in chosen.values()]))]
        keep = chosen[KEPT]
        lines = ['%d of %d particles were kept, %d rejected%s.' % (keep.sum(), len(keep), (~keep).sum(), rest),
                 'Kept: %s.' % self._criterion()]
        if keep.any() and not keep.all():
            names, counts = np.unique(table.tomograms[~keep].astype(str), return_counts=True)
            lines.append('Rejected in %s.' % checks.someOf(
                ['%s: %d' % pair for pair in sorted(zip(names, counts), key=lambda pair: -pair[1])], most=MOST_SERIES))
        return lines

    def _criterion(self):
        operation = self.operation.get()
        if operation == TOMOGRAMS:
            return '%s %s' % ('tomograms' if self.keepOrDrop.get() == KEEP else 'all tomograms but',
                              ' '.join(select.split_patterns(self.tomograms.get(''))))
        if operation == VALUE:
            limits = [text % value for text, value in (('from %g', self.minimum.get()), ('to %g', self.maximum.get()))
                      if value is not None]
            return '%s %s' % (self.column.get(), ' '.join(limits))
        of = '' if self.best.get() == FIRST else ' of %s' % self.bestColumn.get()
        return 'particles at least %g Å apart; of two nearer ones %s%s' % (self.distance.get(), BEST[self.best.get()], of)
