"""Kinds of files in a project against those that RELION's own GUI notes when it makes the same job."""
from pathlib import Path

import pytest

from relionsta.jobs.job_star import write_job_star
from relionsta.jobs.nodes import input_nodes, output_nodes, process_label
from relionsta.jobs.registry import JOBS
from relionsta.star import read_star
from relionsta.tests.relion.relion_gui import RelionGui

_INPUTS = {
    'in_particles': 'Extract/job900/particles.star', 'in_tomograms': 'Import/job900/tomograms.star',
    'in_tiltseries': 'Import/job900/tomograms.star', 'in_trajectories': 'Polish/job900/motion.star',
    'fn_ref': 'Reconstruct/job900/merged.mrc', 'fn_mask': 'MaskCreate/job900/mask.mrc',
    'in_refmask': 'MaskCreate/job900/mask.mrc', 'in_halfmaps': 'Refine3D/job900/run_half1_class001_unfil.mrc',
    'in_post': 'PostProcess/job900/postprocess.star', 'fn_opt': 'Refine3D/job900/run_optimiser.star'}
_FN_IN = {'relion.maskcreate': 'Reconstruct/job900/merged.mrc', 'relion.multibody': 'Refine3D/job900/run_optimiser.star'}
_HALF = 'Refine3D/job900/run_half1_class001_unfil.mrc'
_BODIES = 'bodies.star'


@pytest.mark.parametrize('job_type', sorted(JOBS))
def test_kinds_of_files_are_those_of_relion(tmp_path: Path, job_type: str) -> None:
    """A file of a kind that RELION does not know is not offered where it is needed."""
    job, gui = JOBS[job_type], RelionGui(tmp_path)
    names = {option.name for option in job.options}
    values = {name: path for name, path in _INPUTS.items() if name in names}
    if 'fn_in' in names:
        values['fn_in'] = _FN_IN.get(job_type, _HALF)
    values.update({name: value for name, value in (('use_direct_entries', True), ('do_relion_locres', True),
                                                   ('do_resmap_locres', False), ('fn_bodies', _BODIES)) if name in names})
    gui.touch([str(value) for value in values.values() if isinstance(value, str)] + [_HALF.replace('half1', 'half2')])
    (tmp_path / _BODIES).write_text('\ndata_\n\nloop_\n_rlnBodyMaskName #1\nx.mrc\n\n')
    write_job_star(tmp_path / 'asked.star', job, values)
    gui.add(tmp_path / 'asked.star')
    theirs = read_star(tmp_path / 'default_pipeline.star')
    process = theirs['pipeline_processes'].iloc[-1]
    folder = process['rlnPipeLineProcessName']
    kinds = dict(zip(theirs['pipeline_nodes']['rlnPipeLineNodeName'], theirs['pipeline_nodes']['rlnPipeLineNodeTypeLabel']))
    assert process['rlnPipeLineProcessTypeLabel'] == process_label(job_type, values)
    assert folder.split('/')[0] == job.folder
    reads = set(theirs['pipeline_input_edges']['rlnPipeLineEdgeFromNode'])
    ours = {node.name: node.label for node in input_nodes(job_type, values)}
    assert set(ours) >= reads
    different = {(name, ours[name], kinds[name]) for name in reads if ours[name] != kinds[name]}
    assert not different
    made = {name[len(folder):]: kind for name, kind in kinds.items() if name.startswith(folder)}
    written = output_nodes(job_type, folder, list(made), iteration=25 if job_type == 'relion.class3d' else None)
    assert written and {node.name[len(folder):]: node.label for node in written}.items() <= made.items()
