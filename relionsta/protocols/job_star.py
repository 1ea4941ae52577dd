"""RELION's job.star and Scipion's forms: settings of one into the other."""
import os
from typing import Dict, List, NamedTuple, Tuple

from ..jobs.job_star import JobStarError, read_job_star, write_job_star
from ..jobs.option import Kind
from ..jobs.registry import JOBS
from .form import RUN_OPTIONS, jobValues, relionVersion

#: The name that RELION gives it in a job folder.
JOB_STAR = 'job.star'
#: A job.star names files from the folder of its project, where it lies in <job>/<jobNNN>/.
_LEVELS_DOWN = 2


class Loaded(NamedTuple):
    """What became of a job.star. taken: names of the parameters that were set; defaults: options that the file lacks,
    which got RELION's default; left: option -> value of those that a form has no place for, as inputs, or that name a
    file which is not here; unknown: names that RELION's job does not have."""

    taken: Tuple[str, ...]
    defaults: Tuple[str, ...]
    left: Dict[str, str]
    unknown: Tuple[str, ...]

    def lines(self) -> List[str]:
        """What to tell the user."""
        lines = ['%d settings were taken over.' % (len(self.taken) - len(self.defaults))]
        if self.left:
            lines += ['', 'Not taken over (choose inputs as objects of this project; files must be there):']
            lines += ['  %s: %s' % item for item in self.left.items()]
        if self.defaults:
            lines += ['', "Not in the file, and now RELION's default: %s." % ', '.join(self.defaults)]
        if self.unknown:
            lines += ['', 'In the file, and unknown here: %s.' % ', '.join(self.unknown)]
        return lines


def hasJobStar(protocol):
    """True where RELION's GUI has the job that the protocol runs."""
    job = getattr(protocol, '_job', None)
    return job is not None and job.type in JOBS


def saveJobStar(protocol, path):
    """Write the settings of a protocol as a job.star that RELION's GUI opens, inputs by the files that RELION reads.

    While the inputs are not chosen yet, they stay empty. Raises StarError for a value that STAR cannot hold.
    """
    values = (protocol.getValues() if protocol._hasInputs()
              else jobValues(protocol, protocol._job, skip=protocol._filledIn))
    write_job_star(path, protocol._job, values, relionVersion())


def loadJobStar(protocol, path):
    """Set the parameters of a protocol from a job.star of its job; returns Loaded.

    Inputs are Scipion's objects and stay as they are. Raises StarError and JobStarError for a file that cannot be read
    and JobStarError for one of another job; then nothing is set.
    """
    asked = read_job_star(path, version=None)
    job = protocol._job
    if asked.job.type != job.type:
        raise JobStarError('%s is of the job "%s", and this form is of "%s". Choose a job.star of that job, or open the '
                           'form of the other one.' % (path, asked.job.label, job.label))
    values, left = protocol._settingsOf(asked.values), {}
    taken, defaults = [], []
    for option in job.options:
        place = RUN_OPTIONS.get(option.name, option.name)
        given = option.name in values
        value = values.get(option.name, option.default)
        if protocol.getParam(place) is None or (option.name in protocol._filledIn and place in RUN_OPTIONS.values()):
            if given and value != option.default:
                left[option.label] = option.show(value)
            continue
        if not given and not option.exists_in(relionVersion()):
            continue
        if option.kind is Kind.PATH and value:
            value, wanted = _found(path, value), value
            if not value:
                left[option.label] = wanted
                continue
        getattr(protocol, place).set(option.choices.index(value) if option.kind is Kind.CHOICE else value)
        taken.append(place)
        if not given and not option.extra:
            defaults.append(option.label)
    return Loaded(tuple(taken), tuple(defaults), left, asked.unknown)


def _found(path, name):
    """A file that a job.star names, as this project sees it; '' where it is not there."""
    project = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(path)), *[os.pardir] * _LEVELS_DOWN))
    for candidate in (name, os.path.join(project, name)):
        if os.path.exists(candidate):
            return candidate
    return ''
