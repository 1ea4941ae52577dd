"""Join particles."""
import os

import pyworkflow.utils as pwutils
from pyworkflow.protocol import params
from tomo.objects import SetOfCoordinates3D, SetOfTomograms

from ..convert import job_inputs, join
from ..convert.join_coordinates import common_coordinates, fill_coordinates, fill_tomograms
from ..convert.merge import merge_particles
from ..convert.merge_tomograms import merge_tomograms, write_tomograms
from ..convert.particles import read_particles
from ..objects import SetOfStaParticles
from ..star import read_star, write_star
from ..star.trajectories import write_trajectories
from . import checks
from .tool import FOLDER, ProtStaToolBase

PARTICLES, COORDINATES, TOMOGRAMS = 'outputParticles', 'outputCoordinates', 'outputTomograms'
PARTICLE_RULES = [join.STOP, join.FIRST, join.RENAME]
TOMOGRAM_RULES = [join.STOP, join.RENAME]


class ProtStaJoin(ProtStaToolBase):
    """ Join the particles of two or more sets, also of several sessions with gain references of their own, into one.

    All tomograms, optics groups and trajectories are kept, so that the next job works on all of them together. Use it
    rather than Scipion's "join sets" where the sets come from different imports: that knows the tomograms of the first
    set only. The sets need the same kind of images, box and pixel size.
    """

    _label = 'Join particles'
    _possibleOutputs = {PARTICLES: SetOfStaParticles, COORDINATES: SetOfCoordinates3D, TOMOGRAMS: SetOfTomograms}

    def _defineParams(self, form):
        form.addSection(label='I/O')
        form.addParam('inputSets', params.MultiPointerParam, pointerClass='SetOfStaParticles', important=True,
                      minNumObjects=2, maxNumObjects=0, label='Particles',
                      help='Two or more sets of particles. The first comes first in what is made.')
        form.addParam('sameParticles', params.EnumParam, default=0, display=params.EnumParam.DISPLAY_COMBO,
                      choices=['stop and tell', 'same particles: keep the first',
                               'other particles: rename those of later inputs'],
                      label='Particles of the same name',
                      help='Subsets that overlap have the same particles. Two sets that were picked apart in the same '
                           'tomograms may have other particles under the same names (TS_01/1). Images are not touched; '
                           'renamed particles (TS_01/S2_1) are extracted again under their new name.')
        form.addParam('sameTomograms', params.EnumParam, default=0, display=params.EnumParam.DISPLAY_COMBO,
                      choices=['stop and tell', 'rename those of later inputs'], label='Other tilt series of the same name',
                      help='Two sessions may both have a TS_01 or a Position_1. Rename: that of the second input becomes '
                           'S2_TS_01, for its particles, tilt series and trajectories and its tomogram in Scipion; the '
                           'image files keep their names. To give tilt series and CTFs to a later job, leave them empty '
                           'there: the particles know theirs. A tilt series that was aligned or CTF-refined again counts '
                           'as another one.')
        form.addParam('apartOptics', params.BooleanParam, default=False, label='Keep optics groups of the inputs apart?',
                      help='Groups of the same name and values become one. Yes keeps a group for each input: CTF '
                           'refinement then fits aberrations, and refinement the noise, for each session by itself.')
        form.addParam('forgetHalves', params.BooleanParam, default=False, label='Forget half sets?',
                      help='For inputs of which only some have been through a 3D auto-refine. The next one splits all '
                           'anew; maps and poses of the old one must then not be used to measure resolution.')
        form.addParam('dropPartial', params.BooleanParam, default=False, expertLevel=params.LEVEL_ADVANCED,
                      label='Leave out columns that only some inputs have?',
                      help='Columns that only some inputs have are filled with the value that RELION takes without them '
                           '(0 for shifts, 1 for scales). No: stop at a column that has no such value. Yes: leave it out.')

    # ------------------------------------------------------------------ work
    def _sets(self):
        return [pointer.get() for pointer in self.inputSets]

    def _rules(self):
        return join.JoinRules(PARTICLE_RULES[self.sameParticles.get()], TOMOGRAM_RULES[self.sameTomograms.get()],
                              self.forgetHalves.get())

    def _join(self):
        """The joined parts and the blocks of their particles STAR."""
        join.check_alike(self._sets())
        joined = join.join_sets(self._sets(), self._rules())
        return joined, merge_particles(joined.parts, self.apartOptics.get(), self.dropPartial.get())

    def _makeOutputs(self):
        joined, blocks = self._join()
        folder = self._getExtraPath(FOLDER)
        pwutils.cleanPath(folder)
        pwutils.makePath(folder)
        files = self._writeFiles(joined, blocks, folder)
        coordinates = self._coordinates(joined, blocks['particles'])
        particles = self._newParticles('particles')
        read_particles(files.particles, particles, coordinates, files.tomograms, files.trajectories or None,
                       joined.object_ids(), next(filter(None, (one.getOutdatedBy() for one in self._sets())), None))
        self._keepSeries(particles)
        particles.write()
        self._defineOutputs(**{PARTICLES: particles})
        for pointer in self.inputSets:
            self._defineSourceRelation(pointer, particles)
        return self._report(joined, blocks)

    def _keepSeries(self, particles):
        """Tilt series and CTFs in Scipion, where all inputs come from the same."""
        first, *others = self._sets()
        for get, keep in ((SetOfStaParticles.getTiltSeries, particles.setTiltSeries),
                          (SetOfStaParticles.getCtfs, particles.setCtfs)):
            here = get(first)
            if here is not None and all(get(one) is not None and get(one).getFileName() == here.getFileName()
                                        for one in others):
                keep(get(first, asPointer=True))

    @staticmethod
    def _writeFiles(joined, blocks, folder):
        """Write particles.star, tomograms.star and, if any particle has a trajectory, motion.star."""
        moving = any(part.trajectories for part in joined.parts)
        files = job_inputs.JobInputs(*(os.path.join(folder, name) for name in
                                       (job_inputs.PARTICLES, job_inputs.TOMOGRAMS, job_inputs.TRAJECTORIES)))
        old_names = {name: old for part in joined.parts for name, old in part.old_tomograms.items()}
        write_tomograms(merge_tomograms(joined.parts), files.tomograms, old_names)
        if moving:
            tomograms = read_star(files.tomograms, ['global'])['global']
            write_trajectories(files.trajectories, job_inputs.merge_trajectories(joined.parts, tomograms))
        write_star(files.particles, blocks)
        return files if moving else files._replace(trajectories='')

    def _coordinates(self, joined, table):
        """What the particles' own coordinates count from: those of the inputs, or new ones with all tomograms."""
        sets = self._sets()
        if any(one.getCoordinates3D() is None for one in sets):
            return None
        if not any(joined.tomograms) and common_coordinates(sets) is not None:
            return common_coordinates(sets)
        tomograms = SetOfTomograms.create(self._getPath(), template='tomograms%s.sqlite')
        fill_tomograms(tomograms, sets, joined.tomograms)
        tomograms.write()
        self._defineOutputs(**{TOMOGRAMS: tomograms})
        coordinates = SetOfCoordinates3D.create(self._getPath(), template='coordinates%s.sqlite')
        edge = (sets[0].getBoxSize() or 0) * sets[0].getSamplingRate()
        fill_coordinates(coordinates, tomograms, table, int(round(edge / tomograms.getSamplingRate())))
        coordinates.write()
        self._defineOutputs(**{COORDINATES: coordinates})
        return coordinates

    # ----------------------------------------------------------------- checks
    def _hasInputs(self):
        return len(self.inputSets) > 1 and all(pointer.get() is not None for pointer in self.inputSets)

    def _validateInputs(self):
        errors = []
        for number, one in enumerate(self._sets(), start=1):
            errors += checks.checkParticles('Particles, input %d' % number, one, extracted=False)
        if not errors:
            joined, _ = self._join()
            merge_tomograms(joined.parts)
        return errors

    # ---------------------------------------------------------------- reports
    def _report(self, joined, blocks):
        """The lines of the summary: counts of each input."""
        table, optics = blocks['particles'], blocks['optics']
        lines = ['%d particles of %d tilt series in %d optics group%s.' % (
            len(table), table['rlnTomoName'].nunique(), len(optics), 's' if len(optics) > 1 else '')]
        for number, one in enumerate(self._sets()):
            line = 'Input %d: %d of %d particles' % (number + 1, joined.taken[number], one.getSize())
            if joined.left_out[number]:
                line += ', %d were there already' % joined.left_out[number]
            if joined.renamed[number]:
                line += ', %d renamed' % joined.renamed[number]
            if joined.tomograms[number]:
                line += '; tilt series renamed: ' + checks.someOf(
                    ['%s to %s' % (old, new) for new, old in joined.tomograms[number].items()])
            lines.append(line + '.')
        moving = sum(len(part.places) for part in joined.parts if part.trajectories)
        if moving:
            lines.append('%d particles have a trajectory; the others count as still.' % moving)
        return lines
