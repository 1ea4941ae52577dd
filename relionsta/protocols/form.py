"""The form of a RELION job: one parameter per option that jobs/ declares, and back to RELION's values."""
import re

from pyworkflow.protocol import params
from pyworkflow.protocol.constants import LEVEL_ADVANCED, LEVEL_NORMAL

from ..jobs.option import Kind
from ..runtime.build import RelionNotFound, find_build

NEWEST = (5, 1)
#: The parameter that names a job.star to take settings from.
SETTINGS_FILE = 'settingsFile'

#: RELION's options that Scipion has a place of its own for (the Run header of every form), and its names of them.
RUN_OPTIONS = {'nr_mpi': 'numberOfMpi', 'nr_threads': 'numberOfThreads', 'use_gpu': params.USE_GPU,
               'gpu_ids': params.GPU_LIST}

_PARAMS = {
    Kind.BOOL: params.BooleanParam,
    Kind.INT: params.IntParam,
    Kind.FLOAT: params.FloatParam,
    Kind.TEXT: params.StringParam,
    Kind.PATH: params.PathParam,
}


def relionVersion():
    """(major, minor) of the RELION in use; the newest known one where none is found, so that forms open."""
    try:
        return find_build().version
    except RelionNotFound:
        return NEWEST


def addJobOptions(form, job, skip=(), defaults=None, conditions=None, anyVersion=(), empty=None):
    """Add the options of `job` to a Scipion form, in sections that carry the names of RELION's tabs.

    skip: options that the protocol fills in itself (inputs that are Scipion objects). defaults: values that
    replace RELION's defaults, by option name. conditions: when an option is shown, beside its own condition, by
    option name. Options of other RELION versions are kept, out of sight, so that a project opens with any version;
    anyVersion: options that are shown all the same, because the protocol translates them for other versions. empty:
    numbers that may be empty, by option name -> what the protocol takes then, in words.
    """
    defaults, conditions, empty = defaults or {}, conditions or {}, empty or {}
    version = relionVersion()
    shown = [option for option in job.options if option.name not in skip and option.name not in RUN_OPTIONS]
    tabs = list(dict.fromkeys(option.tab for option in shown))
    for tab in tabs:
        section = form.getSection(tab) or form.addSection(label=tab)
        for option in shown:
            if option.tab == tab:
                exists = option.name in anyVersion or option.exists_in(version)
                _addOption(section, option, defaults.get(option.name, option.default),
                           _condition(option, exists, conditions.get(option.name)), empty.get(option.name))


def addSettingsFile(form):
    """Add the parameter that names a job.star to take settings from; a wand beside it does so."""
    form.getSection('I/O').addParam(
        SETTINGS_FILE, params.FileParam, default='', allowsNull=True, expertLevel=LEVEL_ADVANCED,
        label='Settings from a job.star',
        help='job.star of a job of this kind, made by RELION or by a run of this protocol (in its extra/job001 folder). '
             'Choose it and click on the wand: the fields of this form take its values. Inputs are not taken over, '
             'since they are objects of the project here. The field has no effect on the run itself.')


def addRunOptions(form, job, threads=1, mpi=1):
    """Add MPI, threads and GPU where the job's programs can use them."""
    names = {option.name for option in job.options}
    if 'use_gpu' in names:
        form.addHidden(params.USE_GPU, params.BooleanParam, default=False, label='Use GPU acceleration?',
                       help='Needs a RELION that was built for GPUs; a build without is refused.')
        form.addHidden(params.GPU_LIST, params.StringParam, default='', label='Which GPUs',
                       help="GPU numbers as RELION takes them: ':' between MPI ranks, ',' between threads of one "
                            "rank (0:1). Empty: RELION shares out all.")
    form.addParallelSection(threads=threads if 'nr_threads' in names else 0, mpi=mpi if 'nr_mpi' in names else 0)


def _addOption(section, option, default, condition, empty=None):
    arguments = dict(
        label=_label(option) + (' (empty: %s)' % empty if empty else ''), help=_help(option), condition=condition,
        expertLevel=LEVEL_ADVANCED if option.advanced else LEVEL_NORMAL)
    if option.kind is Kind.CHOICE:
        section.addParam(option.name, params.EnumParam, choices=list(option.choices),
                         default=list(option.choices).index(default), display=params.EnumParam.DISPLAY_COMBO,
                         **arguments)
        return
    if option.kind in (Kind.INT, Kind.FLOAT):
        arguments['allowsNull'] = True  # emptyNumbers says more than Scipion does
    section.addParam(option.name, _PARAMS[option.kind], default=None if empty else default, **arguments)


def problemText(protocol, job, problem):
    """A problem that a job finds, in the words of the form: Scipion has labels of its own for the Run header."""
    param = protocol.getParam(RUN_OPTIONS.get(problem.option, ''))
    label = param.label.get() if param is not None else ''
    text = problem.text()
    return text.replace(job.option(problem.option).label, label, 1) if label else text


def _label(option):
    return '%s (%s)' % (option.label, option.unit) if option.unit and option.unit not in option.label else option.label


def _help(option):
    lines = [option.help]
    if option.sensible != (None, None):
        lines.append('Usual range: %s to %s.' % tuple('any' if end is None else end for end in option.sensible))
    return '\n'.join(lines)


def _condition(option, exists, more):
    if not exists:
        return 'False'
    parts = ['(%s)' % part for part in (_form_condition(option.condition), more) if part]
    return ' and '.join(parts) or None


def _form_condition(condition):
    """A job's condition in a form, where the Run header holds the GPU choice."""
    return re.sub(r'\buse_gpu\b', params.USE_GPU, condition)


def emptyNumbers(protocol):
    """A message for each number that is shown in the form of `protocol` and was left empty, where it has a default."""
    messages = []
    for name, param in protocol.getDefinition().iterParams():
        if not isinstance(param, (params.IntParam, params.FloatParam)):
            continue
        value, default = getattr(protocol, name).get(), param.default.get()
        if value is None and default is not None and protocol.evalParamCondition(name):
            messages.append('*%s*: empty. Give a number; the default is %s.' % (param.label.get(), default))
    return messages


def jobValues(protocol, job, skip=()):
    """RELION's value of every option of `job`, by name, as the form of `protocol` holds them.

    An empty number that the form does not show has no effect, and counts as its default.
    """
    values = {}
    for option in job.options:
        if option.name in skip or option.name in RUN_OPTIONS:
            continue
        if option.kind is Kind.CHOICE:
            values[option.name] = protocol.getEnumText(option.name)
            continue
        value = getattr(protocol, option.name).get()
        if value is None:
            value = option.default if option.kind in (Kind.INT, Kind.FLOAT) else ''
        values[option.name] = value
    names = {option.name for option in job.options}
    if 'nr_mpi' in names:
        values['nr_mpi'] = protocol.numberOfMpi.get()
    if 'nr_threads' in names:
        values['nr_threads'] = protocol.numberOfThreads.get()
    if 'use_gpu' in names:
        values['use_gpu'] = bool(protocol.useGpu.get())
        values['gpu_ids'] = protocol.gpuList.get() or ''
    return values
