"""The ladder of a project, and runs of one job side by side, found in the project's graph."""
from collections import defaultdict

from pyworkflow.protocol import params

from ..protocols import maps
from ..protocols.postprocess import SHARPENED, ProtStaPostProcess
from ..protocols.refine3d import ProtStaRefine3D, Refine3DOutputs
from ..results.ladder import Rung
from .page import Table
from .runs import HOUSEHOLD, shownValue

#: lines and frames of a form
_NO_VALUES = (params.LabelParam, params.Line, params.Group)
REFINED = Refine3DOutputs.refinedVolume.name
OTHER_MASK = 'under another mask than "%s": not to be compared with it'


def rungsOf(runs, say=print):
    """Rungs of the finished post-processing runs, and of refinements that no such run has measured; runs: in order.

    The note of a rung says where it was measured under another mask than the first one with its box and pixel size. say:
    called with the runs whose files cannot be read, which have no rung.
    """
    measured = {id_ for run in runs if _isDone(run, ProtStaPostProcess, SHARPENED)
                for id_ in [_source(run.inputVolume)] if id_}
    rungs, first = [], {}
    for run in runs:
        try:
            if _isDone(run, ProtStaPostProcess, SHARPENED):
                rungs.append(_measured(run, first))
            elif _isDone(run, ProtStaRefine3D, REFINED) and run.getObjId() not in measured:
                rungs += _unmeasured(run)
        except (ValueError, OSError) as error:
            say('%s, ladder: %s' % (run.getRunName(), error))
    return rungs


def _measured(run, first):
    """The rung of a post-processing run. first: (pixel, box) -> mask and name of the first run with them."""
    run.checkMade(SHARPENED)
    volume = getattr(run, SHARPENED)
    pixel, box = volume.getSamplingRate(), maps.boxSize(volume)
    mask = run.solventMask.get()
    name = None if mask is None else mask.getFileName()
    before = first.setdefault((pixel, box), (name, run.getRunName()))
    return Rung(run.getRunName(), run.getResult().resolution, pixel, box,
                note='' if before[0] == name else OTHER_MASK % before[1])


def _unmeasured(run):
    """[the rung of a refinement]; [] where it found no resolution."""
    run.checkMade(REFINED)
    volume, resolution = getattr(run, REFINED), run.getModel().resolution
    return [Rung(run.getRunName(), resolution, volume.getSamplingRate(), maps.boxSize(volume))] if resolution else []


def comparisons(runs):
    """A Table for each job that was run more than once: the parameters that differ, and what came out."""
    by_class = defaultdict(list)
    for run in runs:
        by_class[run.getClassName()].append(run)
    return [_comparison(same) for same in by_class.values() if len(same) > 1]


def _comparison(runs):
    label = runs[0].getClassLabel(prependPackageName=False)
    rows = []
    for name, param in runs[0].getDefinition().iterParams():
        if name in HOUSEHOLD or not hasattr(runs[0], name) or isinstance(param, _NO_VALUES):
            continue
        values = [_value(run, name, param) for run in runs]
        if len(set(values)) > 1:
            rows.append([param.getLabel() or name] + values)
    rows.append(['Result'] + [(run.summary() or [''])[0].replace('*', '') for run in runs])
    return Table('Runs of %s side by side: what differs, and what it gave' % label,
                 ['Parameter'] + [run.getRunName() for run in runs], rows)


def _value(run, name, param):
    attribute = getattr(run, name)
    if isinstance(param, params.MultiPointerParam):
        return ', '.join(pointer.getUniqueId() for pointer in attribute)
    if isinstance(param, params.PointerParam):
        source = attribute.getObjValue()
        return '–' if source is None else '%s, %s' % (getattr(source, 'getRunName', source.getNameId)(),
                                                      attribute.getExtended() or '')
    return shownValue(param, attribute.get())


def _isDone(run, kind, output):
    """True for a finished run of this kind whose output was not deleted."""
    return isinstance(run, kind) and run.isFinished() and hasattr(run, output)


def _source(pointer):
    source = pointer.getObjValue()
    return None if source is None else source.getObjId()
