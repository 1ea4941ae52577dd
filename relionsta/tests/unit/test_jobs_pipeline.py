"""RELION's record of a project."""
from pathlib import Path

from relionsta.jobs.nodes import input_nodes, output_nodes, process_label
from relionsta.jobs.pipeline import FAILED, Node, Process, pipeline_tables, write_project
from relionsta.star import read_star

_IMPORT = Process('Import/job001/', 'relion.importtomo', outputs=(Node('Import/job001/tomograms.star', 'Made.star'),))
_EXTRACT = Process('Extract/job002/', 'relion.pseudosubtomo', status=FAILED, inputs=(
    Node('Import/job001/tomograms.star', 'Read.star'), Node('elsewhere/mask.mrc', 'Mask3D.mrc')))


def test_tables_say_who_reads_what() -> None:
    """A file that is two nodes, or of the kind that its reader takes it for, breaks the graph in RELION's GUI."""
    tables = pipeline_tables([_IMPORT, _EXTRACT], 3)
    nodes = tables['pipeline_nodes']
    assert dict(zip(nodes['rlnPipeLineNodeName'], nodes['rlnPipeLineNodeTypeLabel'])) == {
        'Import/job001/tomograms.star': 'Made.star', 'elsewhere/mask.mrc': 'Mask3D.mrc'}
    assert list(tables['pipeline_processes']['rlnPipeLineProcessStatusLabel']) == ['Succeeded', 'Failed']
    assert len(tables['pipeline_input_edges']) == 2 and len(tables['pipeline_output_edges']) == 1


def test_project_has_marks_and_parts(tmp_path: Path) -> None:
    """Without its mark RELION's GUI does not take a folder for a project; without theirs, jobs seem to run for ever."""
    for process in (_IMPORT, _EXTRACT):
        (tmp_path / process.name).mkdir(parents=True)
    write_project(tmp_path, [_IMPORT, _EXTRACT], 3)
    assert (tmp_path / '.gui_projectdir').exists() and (tmp_path / '.Nodes/Made/Import/job001/tomograms.star').exists()
    assert (tmp_path / 'Import/job001/RELION_JOB_EXIT_SUCCESS').exists()
    assert (tmp_path / 'Extract/job002/RELION_JOB_EXIT_FAILURE').exists()
    own = read_star(tmp_path / 'Extract/job002/job_pipeline.star')
    assert list(own['pipeline_processes']['rlnPipeLineProcessName']) == ['Extract/job002/']
    assert list(own['pipeline_nodes']['rlnPipeLineNodeTypeLabel']) == ['Made.star', 'Mask3D.mrc']
    assert 'pipeline_output_edges' not in own


def test_outputs_are_those_that_are_there() -> None:
    """A node without a file is a job whose output RELION calls lost; one of an earlier iteration is the wrong result."""
    names = ['run_it%03d_%s' % (number, end) for number in (1, 2) for end in ('data.star', 'class001.mrc', 'class002.mrc')]
    found = output_nodes('relion.class3d', 'Class3D/job004/', names, iteration=2)
    assert [node.name for node in found] == ['Class3D/job004/run_it002_' + end
                                             for end in ('data.star', 'class001.mrc', 'class002.mrc')]
    assert output_nodes('relion.class3d', 'Class3D/job004/', names) == ()


def test_the_same_option_is_another_file_in_another_job() -> None:
    """An optimiser that is called a half map is offered where half maps are asked for."""
    labels = {job: input_nodes(job, {'fn_in': 'x'})[0].label for job in ('relion.maskcreate', 'relion.postprocess',
                                                                        'relion.multibody')}
    assert labels == {'relion.maskcreate': 'DensityMap.mrc', 'relion.postprocess': 'DensityMap.mrc.halfmap',
                      'relion.multibody': 'OptimiserData.star.relion.refine3d'}
    assert process_label('relion.localres', {'do_resmap_locres': False}) == 'relion.localres.own'
