"""What a multi-body refinement becomes in Scipion: bodies, particles, FSCs, and what its analysis has found."""
import os

import numpy as np
from pwem.objects import SetOfVolumes

from ..convert.bulk import read_columns
from ..convert.given import check_given
from ..convert.parts import NAME
from ..convert.values import subset
from ..convert.volumes import check_map, make_volume
from ..jobs import files
from ..objects import SetOfStaParticles
from ..results.flexibility import explained_variance, read_projections
from ..results.history import read_iteration
from ..results.maps import write_mean
from ..results.model import read_model
from ..star import read_star
from .fscs import addFscSet

BODIES, PARTICLES, FSCS, MOTIONS, SELECTED = ('outputBodies', 'outputParticles', 'fscs', 'outputMotions',
                                              'selectedParticles')


class MultiBodyOutputsMixin:
    """For ProtStaMultiBody, before IterativeMixin: its final result or an iteration, and the analysis of the first."""

    def _isFinal(self):
        """True where the final result, not an iteration, is the output."""
        return self._getWanted() is None

    def getModel(self):
        """The final model.star, read, or that of half set 1 of the iteration that is the output; its classes are the
        bodies."""
        if self._isFinal():
            return read_model(self._getJobPath(files.multibody_final_files(files.RUN, 0)['model']))
        return read_iteration(self._getJobPath(), self._job.type, self.getIteration()).model

    def getProjections(self, particles=None):
        """The places of the particles along the motions, or None without an analysis. particles: of the result (default: the
        output). ValueError where there are not as many."""
        path, particles = self._getJobPath(files.PROJECTIONS), particles or getattr(self, PARTICLES, None)
        if not (self._isFinal() and self.getValues()['do_analyse'] and os.path.exists(path)):
            return None
        projections = read_projections(path)
        if particles is not None and len(projections) != particles.getSize():
            raise ValueError('%s has %d of %d particles.' % (path, len(projections), particles.getSize()))
        return projections

    def _getResultPaths(self):
        """Those of the analysis."""
        values = self.getValues()
        if not (self._isFinal() and values['do_analyse']):
            return []
        chosen = [files.selection_file(values['select_eigenval'], values['eigenval_min'], values['eigenval_max'])]
        return [self._getJobPath(name) for name in [files.PROJECTIONS] + (chosen if values['do_select'] else [])]

    def _makeOutputs(self):
        if self._isFinal() and not self._isFinished():
            raise ValueError(self._notConverged())
        model = self.getModel()
        names = self._getOutputNames(len(model.classes))
        particles = self._readParticles(names['data'])
        made = {BODIES: self._makeBodies(model, names), PARTICLES: particles,
                FSCS: addFscSet(self, {'Body %d' % one.number: model.fsc(one.number) for one in model.classes})}
        made.update(self._makeAnalysis(model, particles))
        self._defineOutputs(**made)
        self._relateToInputs(*made.values())

    def _getOutputNames(self, number):
        """Role -> path of what becomes the output; RELION writes no map of both half sets of an iteration, so the role of
        a body is there where we put the mean of its half maps."""
        if self._isFinal():
            return {role: self._getJobPath(name)
                    for role, name in files.multibody_final_files(files.RUN, number).items()}
        chosen = (self._job.type, files.RUN, self.getIteration(), number)
        names = {role: self._getJobPath(name) for role, name in files.iteration_files(*chosen).items()}
        more = {role: self._getJobPath(name) for role, name in files.optional_iteration_files(*chosen).items()}
        for body in files.body_roles(number):
            halves = ['%s_%s' % (half, body) for half in ('half1', 'half2')]
            if any(os.path.lexists(more[half + '_unfil']) for half in halves):
                names.update((half, more[half + '_unfil']) for half in halves)
            names[body] = self._getExtraPath('%s_%s_mean.mrc' % (files.iteration_root(files.RUN, self.getIteration()), body))
        return names

    def _makeBodies(self, model, names):
        """A volume per body with its half maps."""
        bodies = self._newVolumes('bodies', model.pixel_size)
        for role, body in zip(files.body_roles(len(model.classes)), model.classes):
            halves = [names['%s_%s' % (half, role)] for half in ('half1', 'half2')]
            if not self._isFinal():
                for half in halves:
                    check_map(half, model.box_size, model.pixel_size)
                write_mean(names[role], halves)
            volume = make_volume(names[role], model.pixel_size, halves, box=model.box_size)
            volume.setObjLabel('Body %d' % body.number)
            volume.setObjComment(describeBody(body))
            bodies.append(volume)
        bodies.write()
        return bodies

    def _makeAnalysis(self, model, particles):
        """The maps along the motions, and the particles that were selected along one."""
        projections, values, made = self.getProjections(particles), self.getValues(), {}
        if projections is None:
            return made
        explained = explained_variance(projections)
        if values['nr_movies'] > 0:
            motions = self._newVolumes('motions', model.pixel_size)
            for number in range(1, min(values['nr_movies'], len(explained)) + 1):
                for place, name in enumerate(files.component_maps(number), start=1):
                    volume = make_volume(self._getJobPath(name), model.pixel_size, box=model.box_size)
                    volume.setObjLabel('Motion %d, map %d' % (number, place))
                    volume.setObjComment('Motion %d explains %.1f %% of the variance'
                                         % (number, 100 * explained[number - 1]))
                    motions.append(volume)
            motions.write()
            made[MOTIONS] = motions
        if values['do_select']:
            made[SELECTED] = self._makeSelected(particles, values)
        return made

    def _makeSelected(self, particles, values):
        name = files.selection_file(values['select_eigenval'], values['eigenval_min'], values['eigenval_max'])
        check_given(self._getJobPath(name), self._inputFiles().particles, every=False)
        chosen = read_star(self._getJobPath(name), ['particles'])['particles'][NAME]
        columns = read_columns(particles, ['_particleName'])
        selected = SetOfStaParticles.create(self._getPath(), prefix='selected')
        subset(particles, selected, columns['id'][np.isin(columns['_particleName'].astype(str), chosen.to_numpy(str))])
        selected.write()
        return selected

    def _newVolumes(self, prefix, pixel):
        volumes = SetOfVolumes.create(self._getPath(), prefix=prefix)
        volumes.setSamplingRate(pixel)
        return volumes


def describeBody(body):
    """A body in a few words."""
    words = ['no resolution' if body.resolution is None else '%.1f Å' % body.resolution]
    if body.accuracy_rotations is not None and body.accuracy_translations is not None:
        words.append('accuracy %.1f° and %.1f Å' % (body.accuracy_rotations, body.accuracy_translations))
    return ', '.join(words)
