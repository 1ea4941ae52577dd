"""3D multi-body."""
import os

import numpy as np
from pwem.objects import SetOfFSCs, SetOfVolumes
from pyworkflow.protocol import params
from pyworkflow.protocol.constants import LEVEL_ADVANCED

from ..jobs import files
from ..jobs.bodies import bodies_text, default_bodies, parse_bodies, write_bodies
from ..jobs.multibody import MULTIBODY
from ..objects import SetOfStaParticles
from ..results.flexibility import explained_variance
from ..results.iterations import end_lacking, is_converged
from ..results.maps import read_map
from ..star import read_star, write_star
from . import maps
from .iterative import IterativeMixin
from .multibody_outputs import BODIES, FSCS, MOTIONS, PARTICLES, SELECTED, MultiBodyOutputsMixin, describeBody
from .refinement_run import ProtStaFromRunBase
from .runner import RelionFailed

BODIES_STAR = 'bodies.star'
#: the particles for the analysis, where they are 2D stacks
ANALYSED = 'analysed_data.star'
#: RELION advises to name larger bodies first; masks of bodies of one size differ by a little.
LARGER = 1.05


class ProtStaMultiBody(MultiBodyOutputsMixin, IterativeMixin, ProtStaFromRunBase):
    """ Refine parts of a particle (bodies) that move against each other, and find how they move.

    Starts from an iteration of a 3D auto-refine of the whole particle. Each body has a mask; together they cover the
    particle and may overlap a little. For each particle and body RELION searches angles and shifts near those of the
    whole, with the other bodies subtracted. Bodies should have 100 to 150 kDa at least, more for noisy data. Needs 3D
    pseudo-subtomos and an odd number of MPI processes, at least 3. The flexibility analysis finds the principal motions;
    its maps, in order, are a film of each.
    """

    _label = '3D multi-body'
    _possibleOutputs = {BODIES: SetOfVolumes, PARTICLES: SetOfStaParticles, FSCS: SetOfFSCs, MOTIONS: SetOfVolumes,
                        SELECTED: SetOfStaParticles}
    _optionalOutputs = (MOTIONS, SELECTED)
    _job = MULTIBODY
    _filledIn = ('fn_in', 'fn_cont', 'fn_bodies', 'write_projections')
    _defaultMpi = 3
    _inputCondition = 'not doContinue'
    _iterationHelp = ('-1 is the final result of a converged refinement. The number of an iteration gives its half maps '
                      'and particles, also of a run that was stopped; it cannot be analysed for motions.')
    _runHelp = 'The refinement of the whole particle. Its particles, masks and CTFs are used.'
    _iterationOfRunHelp = ('The iteration to start from; -1 is the last one that is complete. It is never the final '
                           'result, in which the half sets are joined.')
    _why3D = ("RELION 5's multi-body refinement goes wrong on 2D stacks: at every iteration it adds the distance of each "
              'body from the centre to its shifts, so that the bodies run away from their particles.')

    def _defineInputParams(self, form):
        self._defineContinueParams(form)
        super()._defineInputParams(form)
        # Scipion asks for lists even where the form does not show them: _checkMasks does it.
        form.addParam('bodyMasks', params.MultiPointerParam, pointerClass='VolumeMask', minNumObjects=2, important=True,
                      allowsNull=True, condition=self._inputCondition, label='Masks of the bodies',
                      help='One soft mask per body, larger bodies first, each with the box and pixel size of the '
                           'refined map. Their number in this list is the number of the body.')
        form.addParam('bodyTable', params.TextParam, default='', condition=self._inputCondition, height=5, width=40,
                      label='Table of the bodies',
                      help='A line for each mask, in their order, with three numbers: the number of the body that it '
                           'rotates against, the width of the prior on its angles (degrees) and on its offset (A).\n'
                           'For three bodies: \n2 10 4\n1 10 4\n1 15 6\nThe wand writes a first table. Empty: each body '
                           'against the first, the first against the second, 10 degrees and 2 pixels.')
        form.addParam('stacksToo', params.BooleanParam, default=False, condition=self._inputCondition,
                      expertLevel=LEVEL_ADVANCED, label='Run on 2D stacks all the same?',
                      help='Yes: particles that are 2D stacks are taken, as RELION itself does. ' + self._why3D[:1].upper()
                           + self._why3D[1:] + ' Look at the shifts of the bodies before you trust the maps.')
        self._defineIterationParam(form)

    # ------------------------------------------------------------------ input
    def getMasks(self):
        """The masks of the bodies, in order."""
        return [pointer.get() for pointer in self.bodyMasks if pointer.get() is not None]

    def getBodies(self):
        """The bodies that the form describes. Raises ValueError for a table that is none."""
        names = [maps.relionMap(mask) for mask in self.getMasks()]
        text = self.bodyTable.get('').strip()
        return parse_bodies(text, names) if text else default_bodies(names, self._pixel())

    def describeBodies(self):
        """A first table of the bodies, for the form."""
        return bodies_text(default_bodies([maps.relionMap(mask) for mask in self.getMasks()], self._pixel()))

    def _pixel(self):
        return self._particlesPointer().get().getSamplingRate()

    def _inputPointers(self):
        before = self._continued()
        return super()._inputPointers() + list(self.bodyMasks if before is None else before.bodyMasks)

    def _inputValues(self):
        return {'fn_in': self._optimiser(), 'fn_cont': '', 'write_projections': True,
                'fn_bodies': self._getInputPath(BODIES_STAR)}

    def _writeInputs(self):
        if self._continued() is None:
            write_bodies(self._getInputPath(BODIES_STAR), self.getBodies())

    # --------------------------------------------------------------- commands
    def _getRefineCommand(self, start):
        """RELION multiplies the offsets of this job with the pixel size twice (3dem/relion issue 1085): they are divided
        by it once. A run goes on under the names that it began with."""
        tokens = super()._getRefineCommand(start)[0]
        for name in ('--offset_range', '--offset_step'):
            if name in tokens:
                place = tokens.index(name) + 1
                tokens[place] = '%.8g' % (float(tokens[place]) / self._pixel())
        # Told the root of names that it had, RELION begins a new one (run_ct2); these are the same files.
        place = tokens.index('--o') + 1
        tokens[place] = os.path.join(os.path.dirname(tokens[place]), '.' if start is not None else '', files.RUN)
        return [tokens]

    def _commandsAfter(self):
        """The analysis of the final result, if it is asked for. Its program refuses 2D stacks, of which it reads no image:
        it gets a copy of the particles that does not say so."""
        if not self._isFinal():
            return []
        commands = self._job.commands(dict(self.getValues(), fn_cont=''), self._getJobPath() + os.sep, resume=True)
        if self._particlesPointer().get().is2D() and commands and self._isFinished():
            data, copy = self._getJobPath(files.multibody_final_files(files.RUN, 0)['data']), self._getInputPath(ANALYSED)
            blocks = read_star(data)
            blocks['general']['rlnTomoSubTomosAre2DStacks'] = 0
            write_star(copy, blocks)
            commands = [[copy if token == data else token for token in tokens] for tokens in commands]
        return commands

    def runRelionStep(self, work, output):
        """The refinement and the analysis, which fails where there is no final result to analyse."""
        try:
            super().runRelionStep(work, output)
        except RelionFailed as error:
            if self.getCompleteIterations() and not self._isFinished() and 'relion_flex_analyse' in str(error):
                raise ValueError(self._notConverged()) from error
            raise

    def _notConverged(self):
        return ('The refinement did not converge: RELION ended without its final maps in %s (there is no %s). Look at its '
                'log. To use an iteration as it is, choose it in "Iteration to use" and Continue; complete are: %s.'
                % (self._getJobPath(), end_lacking(self._getJobPath(), job_type=self._job.type),
                   self._nameIterations() or 'none'))

    # ----------------------------------------------------------------- checks
    def _takesStacks(self):
        return self.stacksToo.get()

    def _inputWarnings(self):
        stacks = self._particlesPointer().get().is2D()
        return super()._inputWarnings() + (['*%s*: its particles are 2D stacks, and %s'
                                            % (self._runLabel, self._why3D)] if stacks else [])

    def _checkInputs(self):
        return super()._checkInputs() or self._checkMasks() or self._checkTable()

    def _checkMasks(self):
        particles, masks = self._particlesPointer().get(), self.getMasks()
        if len(masks) < 2:
            return ['*Masks of the bodies*: %d. Multi-body refinement needs two at least.' % len(masks)]
        errors = [message for number, mask in enumerate(masks, start=1)
                  for message in maps.checkMask('Masks of the bodies, number %d' % number, mask, particles.getBoxSize(),
                                                particles.getSamplingRate())]
        names = [maps.mapFile(mask) for mask in masks]
        twice = sorted({name for name in names if names.count(name) > 1})
        errors += ['*Masks of the bodies*: %s is there twice. Give each body a mask of its own.' % name for name in twice]
        return errors or self._checkOrder(names)

    @staticmethod
    def _checkOrder(names):
        volumes = [read_map(name).sum(dtype=np.float64) for name in names]
        order = sorted(range(len(names)), key=lambda place: -volumes[place])
        for place in range(1, len(names)):
            if volumes[place] > LARGER * volumes[place - 1]:
                return ['*Masks of the bodies*: number %d (%.0f voxels) is larger than number %d (%.0f), and RELION '
                        'needs larger bodies first. Choose them in this order: %s.'
                        % (place + 1, volumes[place], place, volumes[place - 1], ', '.join(names[one] for one in order))]
        return []

    def _checkTable(self):
        try:
            self.getBodies()
        except ValueError as error:
            return ['*Table of the bodies*: %s' % error]
        return []

    def _isFinished(self):
        return is_converged(self._getJobPath(), job_type=self._job.type)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        model, projections = self.getModel(), self.getProjections()
        lines = [] if self._isFinal() else ['Iteration %d, not the final result.' % self.getIteration()]
        lines += self._continuedLines() or ['Started from iteration %s of "%s".' % (self.getRunIteration(),
                                                                                   self.inputRun.get().getRunName())]
        lines += ['Body %d: %s.' % (body.number, describeBody(body)) for body in model.classes]
        lines.append('%d particles.' % self.outputParticles.getSize())
        if projections is not None:
            parts = 100 * explained_variance(projections)
            lines.append('Principal motions explain %s %% of the variance.' % ', '.join('%.0f' % one for one in parts[:3]))
        if projections is not None and hasattr(self, SELECTED):
            lines.append('%d of %d particles selected along motion %d.' % (
                self.selectedParticles.getSize(), self.outputParticles.getSize(), self.getValues()['select_eigenval']))
        return lines

    def _methodsLines(self):
        model = self.getModel()
        return ['%d particles were refined in RELION as %d bodies, to %s (gold-standard FSC = 0.143 of each body).'
                % (self.outputParticles.getSize(), len(model.classes),
                   ', '.join('%.1f Å' % body.resolution if body.resolution else 'unknown' for body in model.classes))]

    def _moreCitations(self):
        return ['Nakane2018']
