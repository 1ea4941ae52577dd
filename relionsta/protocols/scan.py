"""Parameter scan."""
import os
import time

from pyworkflow.object import Pointer, Set
from pyworkflow.protocol import params
from pyworkflow.protocol.constants import LEVEL_ADVANCED

from ..figures.scan import ranking_figure
from ..figures.style import save_figure
from ..jobs.scan import ScanError, combinations, describe, describe_range, parse_scan
from ..results.ranking import CRITERIA, rank, row_text, settings_of, write_ranking
from . import maps
from .child_runs import newRun
from .children import ParentMixin, outputOf
from .form import RUN_OPTIONS, relionVersion
from .postprocess import ProtStaPostProcess
from .scan_runs import FOLLOWED, SCANNED, candidate, followJobs, mapGrid, scanJobs
from .tool import ProtStaToolBase

VALUES = 'Parameters and values'
RANKING, FIGURE = 'ranking.csv', 'ranking.png'
AUTOMATIC = 'what fits best'
RANK_BY = [AUTOMATIC] + list(CRITERIA)
#: Scans with more runs than this are asked about.
MANY = 16


class ProtStaScan(ParentMixin, ProtStaToolBase):
    """ Try several values of the parameters of a job, side by side, and go on with the best.

    Make a run of the job as usual, fill in its form and save it (or take one that has run): this is what is scanned. Give
    the parameters and their values, for example tau_fudge = 0.5, 1, 2, 4 for the regularisation of a 3D classification. For
    each combination a run of its own is made in the project, like the one that you filled in but for these values; as many
    run side by side as the threads of this form allow (Threads: the cores that all of them may use together). If wanted,
    each is followed by Reconstruct particle and Post-processing under one mask, which makes all of them comparable. The
    runs are ranked in a table and a figure (Analyze Results), and the outputs of the best one are the outputs of this
    protocol. All runs stay in the project as ordinary ones. One that fails leaves the others; Continue repeats it alone.
    """

    _label = 'Parameter scan'

    def _defineParams(self, form):
        form.addSection(label='Scan')
        form.addParam('scannedRun', params.PointerParam, important=True, label='Run to scan',
                      pointerClass=','.join(one.__name__ for one in SCANNED),
                      help='A run of the job with its inputs and settings: saved, finished or failed. It stays as it is; '
                           'its host and queue are taken over as well.')
        form.addParam('scanText', params.TextParam, default='', important=True, height=5, label=VALUES,
                      help="A line per parameter, with RELION's name of it and the values to try:\n"
                           'tau_fudge = 0.5, 1, 2, 4\nAll combinations of several lines are tried. The wand lists the '
                           'parameters of the chosen job. Yes and No for switches; texts with a comma in double quotes.')
        form.addParam('followUp', params.BooleanParam, default=False,
                      label='Average and post-process each result?',
                      help='Yes: the particles of each run are averaged (Reconstruct particle; of several classes, those of '
                           'the largest) and the resolution is measured under one mask for all (Post-processing). Needed '
                           'to rank CTF refinements and polishing. A 3D auto-refine has half maps, and is post-processed '
                           'at once.')
        form.addParam('commonMask', params.PointerParam, pointerClass='VolumeMask', condition='followUp',
                      label='Mask for all', help='With the box and pixel size of the maps: those of the particles, or, for '
                                                 'CTF refinement and polishing, those of their reference.')
        form.addParam('rankBy', params.EnumParam, choices=RANK_BY, default=0, label='Rank by',
                      display=params.EnumParam.DISPLAY_COMBO,
                      help='%s: post-processing where there is one, else the resolution of the runs themselves. '
                           % AUTOMATIC + '\n'.join('%s: %s.' % (name, words) for name, (_, words) in CRITERIA.items())
                           + '\nThe resolution that a classification states rises with its T (tau_fudge) even where the map '
                             'only gets noisier: look at the maps, or have them post-processed.')
        form.addParam('gpus', params.StringParam, default='', label='GPUs to share out', expertLevel=LEVEL_ADVANCED,
                      help='Numbers of GPUs with blanks between, such as 0 1 2 3: each run that uses a GPU gets one entry. '
                           'An entry can be a list as RELION takes it (0:1). Empty: such runs go one after the other, on '
                           'the GPUs of the scanned run.')
        form.addParam('stopTogether', params.BooleanParam, default=True, label='Stop the runs with the scan?',
                      expertLevel=LEVEL_ADVANCED,
                      help='What Stop does to runs that are at work: Yes stops them too, No lets them go on. Continue finds '
                           'them in either case.')
        form.addParallelSection(threads=os.cpu_count() or 1, mpi=0)

    # ---------------------------------------------------------------- question
    @property
    def _possibleOutputs(self):
        """Those of the scanned run."""
        run = self.scannedRun.get()
        return {} if run is None else run._possibleOutputs

    def getOptions(self):
        """The options of the scanned run that can be varied."""
        run = self.scannedRun.get()
        return [option for option in run._job.options if option.name not in run._filledIn
                and option.name not in RUN_OPTIONS and option.exists_in(relionVersion())]

    def describeOptions(self):
        """What can be varied: name -> (value now, what may be tried, label); only what has an effect as the form is."""
        run = self.scannedRun.get()
        values = run.getValues() if run._hasInputs() else {}
        return {option.name: (option.show(values.get(option.name, option.default)), describe_range(option), option.label)
                for option in self.getOptions() if run.evalParamCondition(option.name)}

    def getCombinations(self):
        """The settings to try, each a dict; ScanError where the form's text cannot be read."""
        return combinations(parse_scan(self.scanText.get(), self.getOptions()))

    def getCriterion(self):
        """The name of the criterion in CRITERIA."""
        chosen = self.getEnumText('rankBy')
        if chosen != AUTOMATIC:
            return chosen
        run = self.scannedRun.get()
        return 'post-processing' if self.followUp.get() or isinstance(run, ProtStaPostProcess) else 'resolution'

    def stopsChildren(self):
        return self.stopTogether.get()

    # ------------------------------------------------------------------- steps
    def _insertAllSteps(self):
        self.forgetChildrenOnRestart()
        now = str(time.time())  # Continue always looks after the runs
        self._insertFunctionStep(self.runScanStep, now)
        self._insertFunctionStep(self.createOutputStep, now)

    def runScanStep(self, now):
        """Make and run what is lacking, and write the ranking."""
        jobs = scanJobs(self.scannedRun.get(), self.getCombinations())
        cores, gpus = self.numberOfThreads.get(), self.gpus.get('').split()
        self._states = self.runChildren(jobs.values(), cores, gpus, self._tell)
        self._followed = self._runFollowing(jobs, cores, gpus) if self.followUp.get() else {}
        self._ranking = self._rank()
        write_ranking(self._ranking, self._getExtraPath(RANKING))
        if not self._ranking['rank'].isna().all():
            save_figure(ranking_figure(self._ranking, self.getCriterion(), self.getRunName()), self._getExtraPath(FIGURE))

    def createOutputStep(self, now):
        """The outputs of the best run, and the summary."""
        super().createOutputStep()

    def _runFollowing(self, jobs, cores, gpus):
        """Key of a run -> {key: ChildState} of those that measure it."""
        mask = outputOf(self.commonMask)
        following = {key: followJobs(job, self.loadChild(key), mask)
                     for key, job in jobs.items() if self._states[key].isFinished}
        states = self.runChildren([job for more in following.values() for job in more], cores, gpus, self._tell)
        return {key: {job.key: states[job.key] for job in more} for key, more in following.items()}

    def _rank(self):
        found = []
        for values in self.getCombinations():
            key = describe(values)
            followed = self._followed.get(key, {})
            last = list(followed.values())[-1] if followed else None
            measured = self.loadChild(last.key) if last is not None and last.isFinished else None
            found.append(candidate(values, self._states[key], self.loadChild(key), measured, followed))
        return rank(found, self.getCriterion())

    def _tell(self, states):
        """The state of the runs, for the summary of a scan that runs."""
        self.summaryVar.set('\n'.join('%s: %s%s' % (one.label, one.status, ', %s' % one.error if one.error else '')
                                      for one in states.values()))
        self._store(self.summaryVar)

    def _makeOutputs(self):
        """The outputs of the best run, and the lines of the summary."""
        if not any(state.isFinished for state in self._states.values()):
            raise ValueError('No run has finished. %s' % ' '.join(
                '"%s": %s' % (state.label, state.error) for state in self._states.values()))
        best = None if self._ranking['rank'].isna().all() else self.loadRun(int(self._ranking['run'].iloc[0]))
        if best is not None:
            self._takeOutputs(best)
        return self._tableLines(best)

    def _takeOutputs(self, best):
        """The outputs of a run as outputs of this one; what they say of each other is then said of these."""
        outputs = {name: type(one)() for name, one in best.iterOutputAttributes()}
        for name, output in outputs.items():
            output.copy(getattr(best, name), copyId=False, ignoreAttrs=[])
            for _, attribute in output.getAttributes():
                owner = attribute.getObjValue() if attribute.isPointer() else None
                if owner is not None and owner.getObjId() == best.getObjId():
                    attribute.set(self, cleanExtended=False)
        self._defineOutputs(**outputs)
        for _, pointer in self.scannedRun.get().iterInputAttributes():
            if isinstance(pointer, Pointer) and pointer.get() is not None and not pointer.pointsNone():
                for output in outputs.values():
                    self._defineSourceRelation(pointer, output)

    # ------------------------------------------------------------------ checks
    def _hasInputs(self):
        return self.scannedRun.get() is not None and (not self.followUp.get() or self.commonMask.get() is not None)

    def _validateInputs(self):
        try:
            settings = self.getCombinations()
        except ScanError as error:
            return ['*%s*: %s' % (VALUES, error)]
        return self._checkRuns(settings) or self._checkFollowUp()

    def _checkRuns(self, settings):
        """What the runs would be refused for."""
        scanned, errors = self.scannedRun.get(), []
        for values in settings:
            run = newRun(self.getProject(), scanned.getClassName(), scanned.getRunName(), values, scanned)
            idle = [name for name in values if not run.evalParamCondition(name)]
            if idle:
                return ['*%s*: %s has no effect in "%s" as its form is filled in now. Change what it depends on there, or '
                        'scan that as well.' % (VALUES, ', '.join(idle), scanned.getRunName())]
            errors += ['%s: %s' % (describe(values), text) for text in run.validate()]
        return errors

    def _checkFollowUp(self):
        scanned, criterion = self.scannedRun.get(), self.getCriterion()
        if not self.followUp.get():
            if criterion == 'post-processing' and not isinstance(scanned, ProtStaPostProcess):
                return ['*Rank by*: post-processing, and there is none. Choose Yes in "Average and post-process each '
                        'result?".']
            return []
        if not isinstance(scanned, FOLLOWED):
            return ['*Average and post-process each result?*: Yes, and a run of %s makes nothing with half maps. Choose No.'
                    % scanned.getClassLabel()]
        box, pixel = mapGrid(scanned)
        return maps.checkMask('Mask for all', self.commonMask.get(), box, pixel, whose='the maps of "%s"'
                              % scanned.getRunName())

    def _warnings(self):
        if not self._hasInputs() or self._validateInputs():
            return []
        number, warnings = len(self.getCombinations()), []
        if number > MANY:
            warnings.append('%d runs will be made, one for each combination of the values.' % number)
        if self.getCriterion() != 'post-processing' and not hasattr(self.scannedRun.get(), 'getModel'):
            warnings.append('Runs of %s state nothing to rank them by: you will have to look at each of them, and there '
                            'will be no outputs.' % self.scannedRun.get().getClassLabel())
        if self.getCriterion() == 'resolution' and 'tau_fudge' in self.getCombinations()[0]:
            warnings.append('The resolution that a classification states rises with T (tau_fudge) by itself. Look at the '
                            'maps, or choose Yes in "Average and post-process each result?".')
        return warnings

    # ----------------------------------------------------------------- reports
    def _tableLines(self, best):
        table, criterion = self._ranking, self.getCriterion()
        lines = ['%d of %d runs have finished.' % (sum(one.isFinished for one in self._states.values()), len(table))]
        if best is None:
            lines.append('They cannot be ranked: this job has no result to compare. Look at each of them.')
        else:
            lines += ['The outputs are those of run %d, "%s".' % (best.getObjId(), best.getRunName()),
                      'Ranked by %s:' % CRITERIA[criterion][1]]
        return lines + [row_text(row, settings_of(table), criterion) for _, row in table.iterrows()]

    def _summary(self):
        if self.isActive():
            return ['Running.'] + self.summaryVar.get('').splitlines()
        gone = [name for name, one in self.iterOutputAttributes(Set) if not os.path.exists(one.getFileName())]
        if gone:
            return ['The run whose results are the outputs here was deleted: choose Continue to make it again.']
        return self.summaryVar.get('').splitlines() or ['No output yet.']

    def _methods(self):
        if not self.isFinished() or not self._hasInputs():
            return []
        return ['%s of "%s" were tried; ranked by %s.' % (' and '.join(self.getCombinations()[0]),
                                                         self.scannedRun.get().getRunName(),
                                                         CRITERIA[self.getCriterion()][1])]
