"""RELION's record of a project: default_pipeline.star, with its jobs, their files (nodes) and which job reads which.

Names of types and files as RELION 5.1's own GUI writes them.
"""
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple, Union

import pandas as pd

from ..star.writer import write_star

PathLike = Union[str, Path]

PIPELINE, JOB_PIPELINE = 'default_pipeline.star', 'job_pipeline.star'
#: RELION's GUI takes a folder with this file for a project.
PROJECT_MARK = '.gui_projectdir'
SUCCESS = 'RELION_JOB_EXIT_SUCCESS'
FAILURE = 'RELION_JOB_EXIT_FAILURE'
SUCCEEDED, FAILED = 'Succeeded', 'Failed'
# The folder in which RELION's file dialogs find the files of a kind.
_NODES = '.Nodes'
_NONE = 'None'


class Node(NamedTuple):
    """A file that a job reads or writes. name: from the project's folder; label: RELION's name of its kind."""

    name: str
    label: str


class Process(NamedTuple):
    """A job. name: its folder with a slash at its end (Extract/job002/); label: RELION's name of its type."""

    name: str
    label: str
    inputs: Tuple[Node, ...] = ()
    outputs: Tuple[Node, ...] = ()
    status: str = SUCCEEDED


def pipeline_tables(processes: Sequence[Process], counter: int) -> Dict[str, Union[Dict[str, int], pd.DataFrame]]:
    """The blocks of default_pipeline.star. counter: number of the next job.

    A file that a job writes is of the kind that this job says, whatever its readers call it. Blocks without rows are
    left out, as RELION does.
    """
    kinds: Dict[str, str] = {}
    for process in processes:
        kinds.update((node.name, node.label) for node in process.outputs)
    for process in processes:
        for node in process.inputs:
            kinds.setdefault(node.name, node.label)
    tables: Dict[str, Union[Dict[str, int], pd.DataFrame]] = {
        'pipeline_general': {'rlnPipeLineJobCounter': counter}}
    _add(tables, 'pipeline_processes',
         ('rlnPipeLineProcessName', 'rlnPipeLineProcessAlias', 'rlnPipeLineProcessTypeLabel',
          'rlnPipeLineProcessStatusLabel'),
         [(process.name, _NONE, process.label, process.status) for process in processes])
    _add(tables, 'pipeline_nodes', ('rlnPipeLineNodeName', 'rlnPipeLineNodeTypeLabel', 'rlnPipeLineNodeTypeLabelDepth'),
         [(name, label, 1) for name, label in kinds.items()])
    _add(tables, 'pipeline_input_edges', ('rlnPipeLineEdgeFromNode', 'rlnPipeLineEdgeProcess'),
         [(name, process.name) for process in processes for name in dict.fromkeys(node.name for node in process.inputs)])
    _add(tables, 'pipeline_output_edges', ('rlnPipeLineEdgeProcess', 'rlnPipeLineEdgeToNode'),
         [(process.name, name) for process in processes for name in dict.fromkeys(node.name for node in process.outputs)])
    return tables


def write_project(folder: PathLike, processes: Sequence[Process], counter: int) -> None:
    """Make a folder with the folders of these jobs one that RELION's GUI opens as a project.

    Writes default_pipeline.star, each job's own part of it, the mark of how it ended, and what file dialogs look at.
    """
    root = Path(folder)
    write_star(root / PIPELINE, pipeline_tables(processes, counter))
    (root / PROJECT_MARK).touch()
    written = {node.name: node for process in processes for node in process.outputs}
    for process in processes:
        inputs = tuple(written.get(node.name, node) for node in process.inputs)
        write_star(root / process.name / JOB_PIPELINE, pipeline_tables([process._replace(inputs=inputs)], counter))
        (root / process.name / (SUCCESS if process.status == SUCCEEDED else FAILURE)).touch()
        for node in process.outputs:
            place = root / _NODES / node.label.split('.')[0] / node.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()


def _add(tables: Dict[str, Union[Dict[str, int], pd.DataFrame]], block: str, labels: Sequence[str],
         rows: List[Tuple[object, ...]]) -> None:
    if rows:
        tables[block] = pd.DataFrame(rows, columns=list(labels))
