"""The refinement cycle."""
import hashlib
import json
import os

from pwem.objects import SetOfFSCs, Volume
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from ..figures.ladder import ladder_figure
from ..figures.style import save_figure
from ..geometry import good_box_size
from ..jobs.cycle import CTF, KINDS, POLISH, REFINE, RULES, START, Plan
from ..objects import SetOfStaParticles
from ..results.ladder import Rung, gain, kept_rungs, ladder_lines, read_ladder, write_ladder, write_ladder_csv
from . import maps
from .children import ParentMixin, outputOf
from .cycle_checks import checkCycle
from .cycle_form import defineCycleForm
from .cycle_jobs import CycleJobs
from .cycle_outputs import AVERAGE, CTFS, FSCS, PARTICLES, SHARPENED, TILT_SERIES, makeOutputs
from .postprocess import findings
from .tool import ProtStaToolBase

LADDER, TABLE, FIGURE = 'ladder.json', 'ladder.csv', 'ladder.png'
#: The box for estimation, if none is given, is wider than that of the reference by this much.
WIDER = 1.5


class CycleFailed(Exception):
    """A run of the cycle did not finish; the message names it, its reason and what to do."""


class ProtStaRefinementCycle(ParentMixin, ProtStaToolBase):
    """ CTF refinement, polishing and, if wanted, refinement in turn, as long as they help.

    Makes an average at binning 1, a mask and a first post-processing; then, round by round, CTF refinement, polishing and
    refinement with the tilt series as they are by then. After each step the particles are averaged again and the resolution
    is measured under the same mask. A step that does not help is not gone on from; its runs stay in the project. All are
    ordinary runs: open them and look at their results. Keep those of the steps that were kept: the results name their files.
    The cycle can be stopped at any time. Continue finds what is finished, goes on with the rest and starts nothing twice;
    give a higher number of rounds and Continue to go further. The ladder, the resolution after each step, is in the summary,
    in Analyze Results and in the files ladder.csv and ladder.json of the run's extra folder. Use it after a first 3D
    auto-refine, when the average at binning 1 is at about 15 Å or better.
    """

    _label = 'Refinement cycle'
    _possibleOutputs = {PARTICLES: SetOfStaParticles, AVERAGE: Volume, SHARPENED: Volume, FSCS: SetOfFSCs,
                        TILT_SERIES: SetOfTiltSeries, CTFS: SetOfCTFTomoSeries}

    def _defineParams(self, form):
        defineCycleForm(form)

    # ------------------------------------------------------------------ steps
    def _insertAllSteps(self):
        self.forgetChildrenOnRestart()
        asked = self._fingerprint()
        self._insertFunctionStep(self.climbStep, asked)
        self._insertFunctionStep(self.createOutputStep, asked)

    def _fingerprint(self):
        """A short text that changes with every parameter: Continue skips steps that were finished with the same."""
        asked = {name: str(value) for name, value in self.getDefinitionDict().items()
                 if not name.startswith(('_', 'object.'))}
        return hashlib.sha1(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    def climbStep(self, asked):
        """Run the steps of the plan that are not finished yet, and measure each of them."""
        for _ in self._climb():
            pass

    def createOutputStep(self, asked):
        """Make the results of the last step that was kept those of the cycle."""
        super().createOutputStep()

    def _climb(self):
        """Go up the ladder: yields (rungs, the place after each) after each step. Raises CycleFailed.

        All follows from the children: those that are finished are not run again, so this goes on where it was stopped.
        """
        plan, jobs = self.getPlan(), self._jobs()
        children, place = jobs.start()
        self._runChildrenOf(START, children)
        rungs, places = [self._measure(START, place)], [place]
        while True:
            self._writeLadder(rungs)
            yield rungs, places
            step = plan.next(rungs)
            if step is None:
                return
            base = max(number for number, rung in enumerate(rungs) if rung.kept)
            children, place = jobs.step(step, places[base])
            self._runChildrenOf(step.name, children)
            rungs.append(plan.judge(rungs, self._measure(step.name, place)))
            places.append(place)
            self.info(ladder_lines(rungs)[-1])

    def _jobs(self):
        return CycleJobs(self, outputOf(self.inputParticles), self.getReferenceBox(), self.getEstimationBox())

    def _runChildrenOf(self, name, children):
        """Run the children of a step to their ends."""
        states = self.runChildren(children, cores=1)
        failed = next((state for state in states.values() if not state.isFinished), None)
        if failed is not None:
            raise CycleFailed('%s: %s%s did not finish: %s\nMend the cause, or change the settings here; then choose '
                              'Continue: the cycle goes on with what is missing.'
                              % (name, failed.label, ' (run %d)' % failed.id if failed.id else '', failed.error))

    def _measure(self, name, place):
        """The rung of a step whose children are finished."""
        run, average = self.loadChild(place.postprocess.run), self.loadChild(place.reference.run).average
        result = run.getResult()
        note = 'measured without the mask, see Post-processing' if result.mask_left_out else (
            'the mask is too tight, see Post-processing' if findings(result) else '')
        return Rung(name, result.resolution, average.getSamplingRate(), maps.boxSize(average), note=note)

    def _writeLadder(self, rungs):
        write_ladder(self._getExtraPath(LADDER), rungs)
        write_ladder_csv(self._getExtraPath(TABLE), rungs)
        save_figure(ladder_figure(rungs, self.getRunName()), self._getExtraPath(FIGURE))

    # ------------------------------------------------------------------- form
    def getPlan(self):
        """The steps, and when one is kept, as the form says."""
        chosen = {CTF: self.doCtf, POLISH: self.doPolish, REFINE: self.doRefine}
        return Plan(self.rounds.get(), tuple(kind for kind in KINDS if chosen[kind].get()), RULES[self.keepWhen.get()],
                    self.slack.get() or 0)

    def getReferenceBox(self):
        """Box of the reference map in pixels of the tilt series; None where nothing tells."""
        particles, given = self.inputParticles.get(), self.referenceBox.get()
        if given is not None or not particles.getBoxSize():
            return given
        return good_box_size(particles.getBoxSize() * particles.getParticleBinning())

    def getEstimationBox(self):
        """Box for CTF refinement and polishing in pixels of the tilt series; None where nothing tells."""
        box = self.getReferenceBox()
        return good_box_size(WIDER * box) if self.estimationBox.get() is None and box else self.estimationBox.get()

    def getRefineBinning(self):
        """Binning of the images for 3D auto-refine; None where nothing tells."""
        given = self.refineBinning.get()
        return self.inputParticles.get().getParticleBinning() if given is None else given

    def getRefineBox(self):
        """Their box in pixels; None where nothing tells."""
        particles, given, binning = self.inputParticles.get(), self.refineBox.get(), self.getRefineBinning()
        if given is not None or not particles.getBoxSize() or not binning:
            return given
        if maps.samePixel(binning, particles.getParticleBinning()):
            return particles.getBoxSize()
        return good_box_size(particles.getBoxSize() * particles.getParticleBinning() / binning)

    def _hasInputs(self):
        return self.inputParticles.get() is not None

    def _validateInputs(self):
        return checkCycle(self)

    # ---------------------------------------------------------------- results
    def getLadder(self):
        """The rungs so far; [] before the first. Raises LadderError where the file was damaged."""
        path = self._getExtraPath(LADDER)
        return read_ladder(path) if os.path.exists(path) else []

    def _makeOutputs(self):
        rungs, places = list(self._climb())[-1]
        made = makeOutputs(self, rungs, places)
        self._defineOutputs(**made)
        for output in made.values():
            self._defineSourceRelation(self.inputParticles, output)
        return []

    # ---------------------------------------------------------------- reports
    def _summary(self):
        try:
            return self._told(self.getLadder())
        except ValueError as error:
            return ['The ladder cannot be told: %s' % error]

    def _told(self, rungs):
        if not rungs:
            return ['Running.' if self.isActive() else 'No output yet.']
        lines = ladder_lines(rungs)
        last = kept_rungs(rungs)[-1]
        if not self.isFinished():
            return lines + (['Running.'] if self.isActive() else ['Not at its end: Continue goes on with the next step.'])
        lines.append('From %.2f to %.2f Å (%+.0f %%), with %s as the last step that was kept.' % (
            rungs[0].resolution, last.resolution, 100 * gain(rungs[0], last), last.step))
        if last.at_nyquist:
            lines.append('The resolution is at Nyquist (%.2f Å): the pixel size may be its limit.' % last.nyquist)
        if self.getPlan().is_stuck(rungs) and len(rungs) <= len(self.getPlan().steps):
            lines.append('The last round kept no step, so another one would not have helped.')
        if hasattr(self, PARTICLES) and self.outputParticles.getOutdatedBy():
            lines.append('Extract the particles again before you go on: Analyze Results opens the form, filled in.')
        return lines

    def _methods(self):
        if not self.isFinished():
            return []
        try:
            rungs = self.getLadder()
        except ValueError:
            rungs = []  # the summary says why
        if not rungs:
            return []
        steps = [rung.step for rung in kept_rungs(rungs)[1:]]
        return ['The tilt series were refined with the particles in RELION (%s); the resolution under one mask '
                '(FSC = 0.143) went from %.2f to %.2f Å.' % (
                    ', '.join(steps) or 'no step was kept', rungs[0].resolution, kept_rungs(rungs)[-1].resolution)]

    def _citations(self):
        return ['Burt2024', 'Zivanov2022', 'Chen2013']
