"""Subset selection."""
from typing import Any, List, NamedTuple

import numpy as np
import pandas as pd
from pwem.objects import SetOfVolumes
from pyworkflow.protocol import params

from ..convert.classes import class_members, copy_members, read_members
from ..convert.parts import CLASS, NAME
from ..convert.volumes import make_volume
from ..objects import SetOfStaParticles
from ..results.model import Model, read_model
from ..results.select_classes import (
    Criteria,
    Limits,
    Run,
    chosen_particles,
    class_rows,
    classes_meeting,
    number_text,
    parse_numbers,
    run_of,
)
from ..star import read_star, require_columns
from . import checks
from .select_classes_form import ALL, CRITERIA, LAST, NUMBERS, VALUES, addClassOptions, addValues
from .tool import ProtStaToolBase

KEPT, REJECTED, AVERAGES = 'outputParticles', 'rejectedParticles', 'outputAverages'
#: classes that the summary tells one by one
TOLD = 8


class Source(NamedTuple):
    """What there is to choose from: the input's particles (class_members, with the classes that they are in at that
    iteration), the numbers of their classes and of empty ones, the run and iteration, its model, and RELION's columns of
    the particles in the same order."""

    members: pd.DataFrame
    numbers: List[int]
    run: Run
    model: Model
    table: pd.DataFrame


class ProtStaSelectClasses(ProtStaToolBase):
    """ Keep the particles of the good classes of a 3D classification or an initial reference.

    Look at the class averages first (Analyze Results of the classification), then give the numbers of the good classes,
    or limits that a good class keeps: a resolution, a share of the particles, the accuracy of its alignment. Particles
    can also be chosen by their own values, such as the certainty of their pose (Pmax). Every complete iteration of the
    run can be used. Classes that were picked in Scipion's own viewer (a subset of classes) are a good input too: choose
    "all classes" then. The rejected particles become a set as well, so that nothing is lost.
    """

    _label = 'Subset selection'
    _possibleOutputs = {KEPT: SetOfStaParticles, REJECTED: SetOfStaParticles, AVERAGES: SetOfVolumes}

    def _defineParams(self, form):
        form.addSection(label='I/O')
        form.addParam('inputClasses', params.PointerParam, pointerClass='SetOfClassesSta3D', important=True,
                      label='Classes', help='Classes of a 3D classification or a 3D initial reference, or a subset of '
                                            'them: particles that are not in it are left out.')
        form.addParam('iteration', params.IntParam, default=LAST, allowsNull=True, label='Iteration',
                      help='The iteration of that run whose classes, poses and values count; -1 is the one that the '
                           'classes are from.')
        addClassOptions(form)
        addValues(form)

    # ------------------------------------------------------------------- choice
    def getSource(self) -> Source:
        """What there is to choose from. Raises ValueError (also StarError, ConvertError) where it cannot be read."""
        members = class_members(self.inputClasses.get())
        stars = sorted(set(members['star'].dropna()))
        if len(stars) != 1:
            raise ValueError('*Classes*: %s. Choose the classes of one run.'
                             % ('they come from %d runs (%s)' % (len(stars), checks.someOf(stars)) if stars else
                                'they have no particles of this plugin'))
        wanted = self.iteration.get()
        run = run_of(stars[0]).at(None if wanted in (LAST, None) else wanted)
        path = run.file('data')
        rows = read_star(path, ['particles'])['particles']
        require_columns(rows, [NAME, CLASS], path, 'particles')
        places = pd.Index(rows[NAME]).get_indexer(pd.Index(members['name']))
        if (places < 0).any():
            raise ValueError('*Classes*: %d of %d particles are not in %s; the file was changed after the set was made.'
                             % (np.count_nonzero(places < 0), len(members), path))
        table = rows.iloc[places].reset_index(drop=True)
        if path == stars[0]:
            table[CLASS] = members['number'].to_numpy()  # what Scipion's set says
        model = read_model(run.file('model'))
        empty = {one.number for one in model.classes} - set(rows[CLASS])
        return Source(members.assign(number=table[CLASS].to_numpy()), sorted(set(table[CLASS]) | empty), run, model, table)

    def getNumbers(self) -> List[int]:
        """The class numbers that were typed; [] for none, or for what is no list of numbers."""
        try:
            return parse_numbers(self.classNumbers.get(''))
        except ValueError:
            return []

    def _classes(self, source: Source) -> List[int]:
        """Numbers of the chosen classes."""
        if self.selectBy.get() == NUMBERS:
            return parse_numbers(self.classNumbers.get(''))
        if self.selectBy.get() == CRITERIA:
            return [number for number in classes_meeting(source.model, self._criteria()) if number in source.numbers]
        return source.numbers

    def _criteria(self) -> Criteria:
        share = self.minShare.get()
        return Criteria(self.maxResolution.get(), None if share is None else share / 100, self.maxRotations.get(),
                        self.maxTranslations.get())

    def _limits(self) -> List[Limits]:
        limits = [Limits(column, getattr(self, name + 'From').get(), getattr(self, name + 'To').get())
                  for name, column, *_ in VALUES]
        return [one for one in limits if (one.low, one.high) != (None, None)]

    # ------------------------------------------------------------------- output
    def _makeOutputs(self):
        source = self.getSource()
        keep = chosen_particles(source.table, self._classes(source), self._limits())
        if not keep.any():
            raise ValueError('None of the %d particles would be kept. %s' % (len(keep), self._why(source)))
        for name, mask in ((KEPT, keep), (REJECTED, ~keep)):
            if mask.any():
                self._defineParticles(name, source, mask)
        self._defineAverages(source, sorted(set(source.members['number'][keep])))
        return self._report(source, keep)

    def _defineParticles(self, name: str, source: Source, mask: Any) -> None:
        classes, particles, members = self.inputClasses.get(), self._newParticles(name), source.members[mask]
        if source.run.file('data') == members['star'].iloc[0]:
            copy_members(classes, particles, members.index.to_numpy())
        else:
            read_members(classes, particles, source.run.file('data'), members)
        particles.write()
        self._defineOutputs(**{name: particles})
        self._defineSourceRelation(self.inputClasses, particles)

    def _defineAverages(self, source: Source, numbers: List[int]) -> None:
        """The averages of the kept classes, with the class numbers as ids."""
        model = source.model
        averages = SetOfVolumes.create(self._getPath())
        averages.setSamplingRate(model.pixel_size)
        for number in numbers:
            volume = make_volume(source.run.file('class%03d' % number, len(model.classes)), model.pixel_size,
                                 box=model.box_size)
            volume.setObjId(number)
            volume.setObjComment('Class %d: %s' % (number, model.classes[number - 1].describe()))
            averages.append(volume)
        averages.write()
        self._defineOutputs(**{AVERAGES: averages})
        self._defineSourceRelation(self.inputClasses, averages)

    # ------------------------------------------------------------------- checks
    def _hasInputs(self):
        return self.inputClasses.get() is not None

    def _validateInputs(self):
        errors = self._checkNumbers()
        if errors:
            return errors
        try:
            source = self.getSource()
            errors = self._checkClasses(source) or self._checkColumns(source)
            if not errors and not chosen_particles(source.table, self._classes(source), self._limits()).any():
                errors = ['None of the %d particles would be kept. %s' % (len(source.table), self._why(source))]
        except ValueError as error:
            errors = ['%s.' % str(error).rstrip('.')]
        return errors

    def _checkNumbers(self):
        """Messages on what can be seen without reading a file."""
        if self.selectBy.get() == CRITERIA and self._criteria() == Criteria():
            return ['*Class options*: criteria, and none is given. Give at least one limit.']
        if self.selectBy.get() == ALL and not self._limits():
            return []
        if self.selectBy.get() == NUMBERS:
            try:
                if not parse_numbers(self.classNumbers.get('')):
                    return ['*Classes to keep*: empty. Give numbers, for example 1,3-5; the wand beside it lists the '
                            'classes.']
            except ValueError as error:
                return ['*Classes to keep*: %s.' % error]
        return ['*%s*: from %g to %g. Exchange them.' % (label, low, high)
                for low, high, label in self._pairs() if None not in (low, high) and low > high]

    def _pairs(self):
        return [(getattr(self, name + 'From').get(), getattr(self, name + 'To').get(), label)
                for name, _, label, *_ in VALUES]

    def _checkClasses(self, source):
        chosen = self._classes(source)
        unknown = sorted(set(chosen) - set(source.numbers))
        if unknown:
            return ['*Classes to keep*: %s, and the input has the classes %s (iteration %d). Choose among these.'
                    % (number_text(unknown), number_text(source.numbers), source.run.iteration)]
        if not chosen:
            return ['*Class options*: no class has %s. %s' % (self._criteria().text(), self._why(source))]
        return []

    def _checkColumns(self, source):
        return ['*%s*: these particles have no %s. Leave it empty.' % (label, column)
                for (_, column, label, *_), (low, high, _) in zip(VALUES, self._pairs())
                if (low, high) != (None, None) and column not in source.table]

    def _why(self, source):
        """What the classes and particles have, for someone who asked for too much."""
        if self._limits() and self._classes(source):
            inside = source.table[np.isin(source.table[CLASS], self._classes(source))]
            return 'In the chosen classes %s.' % '; '.join(
                '%s goes from %g to %g' % (one.label, inside[one.label].min(), inside[one.label].max())
                for one in self._limits() if one.label in inside)
        return 'There are: %s.' % '; '.join('class %d: %s' % (number, ', '.join(row[1:]))
                                            for number, row in self.getClassRows(source).items())

    def getClassRows(self, source):
        """Number of each class of the input -> particles, share, resolution, accuracies, as people read them."""
        sizes = source.members['number'].value_counts().to_dict()
        return {number: row for number, row in class_rows(source.model, sizes).items() if number in source.numbers}

    def _warnings(self):
        if not self._hasInputs() or self._validate():
            return []
        source = self.getSource()
        keep = chosen_particles(source.table, self._classes(source), self._limits())
        return ['All %d particles are kept, nothing is rejected.' % len(keep)] if keep.all() else []

    # ------------------------------------------------------------------- reports
    def _report(self, source, keep):
        """The lines of the summary: counts before and after, in all and by class."""
        before = source.members['number'].value_counts().to_dict()
        after = source.members['number'][keep].value_counts().to_dict()
        lines = ['Kept %d of %d particles (%.1f %%), rejected %s.' % (
            keep.sum(), len(keep), 100 * keep.mean(), (~keep).sum() or 'none')]
        asked = [self._criteria().text()] if self.selectBy.get() == CRITERIA else []
        asked += [one.text() for one in self._limits()]
        chosen = self._classes(source)
        lines.append('Iteration %d, class%s %s%s.' % (source.run.iteration, 'es' if len(chosen) > 1 else '',
                                                      number_text(chosen), ': ' + '; '.join(asked) if asked else ''))
        told = ['class %d (%s): %s' % (number, row[2], '%d of %d' % (after.get(number, 0), before[number])
                                       if number in before else 'empty')
                for number, row in self.getClassRows(source).items()]
        lines.append('Kept of %s.' % checks.someOf(told, TOLD))
        return lines
