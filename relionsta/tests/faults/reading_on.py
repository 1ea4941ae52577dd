"""What reads the files of runs from outside of them: the import of a RELION job, and the report."""
import gc
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Set
from unittest import mock

from relionsta.demo.project import new_protocol
from relionsta.report.make import makeReport
from relionsta.tests.faults.reading import Answer, Reader, content_of, named_by

#: Jobs of RELION that can be imported from their folder.
IMPORTED = ('ProtStaExtract', 'ProtStaReconstruct', 'ProtStaInitialModel', 'ProtStaClass3D', 'ProtStaRefine3D',
            'ProtStaMask', 'ProtStaPostProcess', 'ProtStaLocalResolution', 'ProtStaCtfRefine', 'ProtStaPolish')
#: Runs of which a report is made: with those before them, each takes seconds.
REPORTED = ('ProtStaExtract', 'ProtStaReconstruct', 'ProtStaClass3D', 'ProtStaRefine3D', 'ProtStaPostProcess')
_PART = re.compile(r'<p>.*?</p>|<t[dh]>.*?</t[dh]>|<li>.*?</li>|<pre>.*?</pre>|<img [^>]*>', re.DOTALL)
_PIXELS = re.compile(r'data:image/png;base64,[^"]*')
#: In lines that name a file instead of what is in it.
UNREADABLE = 'cannot be read'
END = '</body></html>\n'


def imported(run: Any) -> Answer:
    """What an import makes of the job folder of a run; what it leaves out, or takes in its place, is told."""
    importer = _importer(run.getProject())
    importer.filesPath.set(os.path.abspath(run._getJobPath()))
    importer.makePathsAndClean()
    errors = importer.validate()
    if errors:
        raise ValueError('\n'.join(errors))
    made: Dict[str, Any] = {}

    def define(**outputs: Any) -> None:
        made.update(outputs)
        for name, output in outputs.items():
            setattr(importer, name, output)

    def ignore(*_: Any) -> None:
        pass

    with mock.patch.multiple(importer, _defineOutputs=define, _defineSourceRelation=ignore, warning=ignore):
        lines = importer._makeOutputs()
    return Answer({**{name: content_of(output) for name, output in made.items()}, 'told': '\n'.join(lines)},
                  frozenset(named_by(made.values())))


def _importer(project: Any) -> Any:
    """An import that was not run, with a folder of its own that is always the same."""
    label = 'Import of a torn job'
    gc.collect()  # or a set that the last try left open could lock a new file, which has got the number of the old one
    saved = next((one for one in project.getRuns() if one.getObjLabel() == label), None)
    if saved is None:
        saved = new_protocol(project, 'ProtStaImportRelion', label, {})
        project.saveProtocol(saved)
        project.mapper.commit()
    fresh = new_protocol(project, 'ProtStaImportRelion', label, {})
    fresh.copyObjId(saved)
    fresh.setWorkingDir(saved.getWorkingDir())
    fresh.setMapper(project.mapper)
    return fresh


def reported(run: Any) -> Answer:
    """Lines, cells and titles of figures of the report of a run and of those before it; what is not drawn is told. What the
    figures show is looked at by `figures`, which makes the same ones.

    AssertionError where there is a file after an error, or one that is not whole.
    """
    told: List[str] = []
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, 'report.html')
        try:
            makeReport(run.getProject(), str(path), run, say=told.append)
        except ValueError:
            assert not os.listdir(place), 'there is %s though no report could be made' % os.listdir(place)
            raise
        assert os.listdir(place) == [path.name], 'beside the report there is %s' % os.listdir(place)
        text = path.read_text(encoding='utf-8')
    assert text.endswith(END), 'the report ends with %r' % text[-40:]
    parts: Set[str] = set(_PART.findall(_PIXELS.sub('', text)))
    wrong = {part for part in parts if UNREADABLE in part}
    return Answer({**{part: True for part in parts - wrong}, 'told': '\n'.join(told + sorted(wrong))})


def outside_readers(run: Any) -> List[Reader]:
    """What reads the files of a run from outside of it."""
    kind = type(run).__name__
    return ([Reader('import', imported, tells=True)] if kind in IMPORTED else []) + (
        [Reader('report', reported, slow=True, parts=True)] if kind in REPORTED else [])
