"""What a run of a Scipion project has to tell, as sections of the report."""
import os
import re

from pyworkflow.protocol import params

from ..protocols.runner import RUN_SCRIPT, duration
from .figures import figuresOf
from .page import Code, Link, Picture, Section, Table, Text

#: Parameters of Scipion's own, which say nothing of the result
HOUSEHOLD = ('runName', 'runMode', 'hostName', 'comment', 'useQueue', 'queueParams', 'waitForQueueChoice',
              'stepsExecutionMode', 'expertLevel', '_useQueue', '_prerequisites', '_queueParams')
_LINK = re.compile(r'\[\[([^\]]+)\]\[([^\]]+)\]\]')


def sectionOf(protocol, project, say=print):
    """The Section of a run: what it took, what it was asked, what came out, and its figures."""
    parts = [Text([_plain(line) for line in protocol.summary() if line.strip()])]
    for table in (_inputs(protocol), _settings(protocol), _outputs(protocol)):
        if table.rows:
            parts.append(table)
    parts += [Picture(title, figure) for title, figure in figuresOf(protocol, project, say)]
    parts += _commands(protocol)
    return Section(anchorOf(protocol), protocol.getRunName(), _facts(protocol), parts)


def anchorOf(protocol):
    """The name of a run's section."""
    return 'run-%s' % protocol.strId()


def methodsOf(protocols):
    """Sentences on what was done, of all runs in their order; each sentence once."""
    lines = [_plain(line) for protocol in protocols for line in protocol.getParsedMethods() if line.strip()]
    return list(dict.fromkeys(lines))


def citationsOf(protocols):
    """References that the runs name, as Links, each once."""
    found = {}
    for protocol in protocols:
        found.update(protocol.getCitations())
        found.update(protocol.getPackageCitations())
    return [_reference(str(text)) for text in found.values()]


def _reference(text):
    """Scipion writes [[address][text]]."""
    match = _LINK.fullmatch(text.strip())
    if match is None:
        return Link(_plain(text), '')
    address = match.group(1)
    return Link(match.group(2), address if '://' in address else 'https://doi.org/' + address)


def _facts(protocol):
    facts = ['%s (run %s)' % (protocol.getClassLabel(prependPackageName=False), protocol.strId()),
             protocol.getStatusMessage()]
    if protocol.initTime.hasValue():
        facts.append('started %s' % protocol.initTime.datetime().strftime('%Y-%m-%d %H:%M'))
    if protocol.initTime.hasValue() and protocol.endTime.hasValue():
        facts.append('took %s' % duration(protocol.getElapsedTime().total_seconds()))
    return facts


def _inputs(protocol):
    rows = []
    for name, pointer in protocol.iterInputAttributes():
        source, label = pointer.getObjValue(), _label(protocol, name.split('.')[0])
        run = source.getRunName() if hasattr(source, 'getRunName') else ''
        rows.append((label, _told(pointer.get, source, *pointer.getExtendedParts()[:1]), run))
    return Table('Inputs', ('Input', 'What it is', 'From'), rows)


def _told(get, run=None, name=None):
    """What `get` returns, in words; the file that holds it may be gone, or damaged. run, name: whose output it is."""
    value = None
    try:
        value = get()
        if name is not None and hasattr(run, 'checkMade'):
            run.checkMade(name)
        return str(value)
    except Exception as error:  # Scipion's mappers raise a bare one, its readers of maps many kinds
        where = value.getFileName() if hasattr(value, 'getFileName') else ''
        return 'cannot be read (%s)' % ': '.join(filter(None, [where, str(error).strip().partition('\n')[0]]))


def _settings(protocol):
    """Parameters that differ from those of a new run."""
    rows, new = [], protocol.getProject().newProtocol(type(protocol))
    for name, param in protocol.getDefinition().iterParams():
        if isinstance(param, (params.PointerParam, params.MultiPointerParam, params.LabelParam, params.Line,
                              params.Group)) or name in HOUSEHOLD:
            continue
        value, default = getattr(protocol, name).get(), getattr(new, name).get()
        if value != default:
            rows.append((param.getLabel() or name, shownValue(param, value), shownValue(param, default)))
    return Table('Settings that differ from their defaults', ('Parameter', 'Value', 'Default'), rows)


def shownValue(param, value):
    """The value of a parameter as a form shows it."""
    if value is None or value == '':
        return '–'
    if isinstance(param, params.EnumParam) and isinstance(value, int):
        return str(param.choices[value])
    return {True: 'Yes', False: 'No'}[value] if isinstance(value, bool) else str(value)


def _outputs(protocol):
    names = [name for name, _ in protocol.iterOutputAttributes()]
    return Table('Outputs', ('Name', 'What it is'),
                 [(name, _told(lambda name=name: getattr(protocol, name), protocol, name)) for name in names])


def _commands(protocol):
    path = protocol._getExtraPath(RUN_SCRIPT)
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [Code('Commands of RELION (run.sh)', file.read())]


def _label(protocol, name):
    param = protocol.getParam(name)
    return name if param is None else param.getLabel() or name


def _plain(text):
    """A line of Scipion without its marks for bold text."""
    return str(text).replace('*', '').strip()
