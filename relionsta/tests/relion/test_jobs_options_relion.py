"""Names, labels, defaults and flags of jobs/ against RELION itself."""
import random
import re
import subprocess
from pathlib import Path
from typing import Dict, Tuple

import mrcfile
import numpy as np
import pytest

from relionsta.jobs import files
from relionsta.jobs.job import Job
from relionsta.jobs.job_star import read_job_star
from relionsta.jobs.mask import MASK
from relionsta.jobs.option import Kind, Option
from relionsta.jobs.postprocess import POSTPROCESS
from relionsta.jobs.registry import JOBS
from relionsta.jobs.shell import run_script
from relionsta.jobs.symmetry_expand import SYMMETRY_EXPAND
from relionsta.tests.find import relion_home
from relionsta.tests.relion.job_draws import gui_options, legal_draw
from relionsta.tests.relion.relion_gui import Refused, RelionGui, star_text

VERSION = (5, 1)
#: What must be given so that RELION takes a job in.
NEEDED = {'in_optimisation': 'o.star', 'fn_ref': 'r.mrc', 'fn_in': 'half1.mrc', 'fn_mask': 'm.mrc', 'fn_opt': 'o.star',
          'in_halfmaps': 'half1.mrc', 'in_tiltseries': 't.star', 'fn_bodies': 'bodies.star'}
#: Here RELION's default makes no job.
CHOSEN = {'relion.localres': {'do_resmap_locres': 'No', 'do_relion_locres': 'Yes'}}
#: A value that no option has by itself: a yes or no that RELION takes for no, a half map, a file that is there.
HERE = 'here_half1.mrc'
#: Options of relion_refine that its help leaves out, since it shows what a new refinement of a whole particle takes.
NOT_IN_HELP = {'relion_refine': ('--continue', '--multibody_masks', '--reconstruct_subtracted_bodies')}


def minimal(job: Job, gui: RelionGui) -> Tuple[Dict[str, str], Path]:
    """(rows, file) of a job.star that says no more than RELION needs."""
    gui.touch(['bodies.star', HERE])
    names = {option.name for option in gui_options(job, VERSION)}
    rows = {name: text for name, text in {**NEEDED, **CHOSEN.get(job.type, {})}.items() if name in names}
    path = gui.folder / 'minimal.star'
    path.write_text(star_text(job.type, rows))
    return rows, path


@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_names_and_defaults_are_those_of_relion(job: Job, tmp_path: Path) -> None:
    """An option that we miss, or give another default, makes another job of what a user leaves alone."""
    rows, path = minimal(job, RelionGui(tmp_path))
    written = RelionGui(tmp_path).add(path)
    assert written is not None
    read = read_job_star(written, VERSION)
    assert read.unknown == ()
    defaults = {option.name: option.default for option in gui_options(job, VERSION)}
    assert {name: value for name, value in read.values.items() if name not in rows} == {
        name: value for name, value in defaults.items() if name not in rows}


@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_labels_are_those_of_relions_gui(job: Job, tmp_path: Path) -> None:
    """People look for an option, and its unit, by the words of RELION's tutorial. RELION itself finds it by them."""
    gui = RelionGui(tmp_path)
    _rows, path = minimal(job, gui)
    wrong = [option.name for option in gui_options(job, VERSION) if not has_label(gui, path, option)]
    assert wrong == []


def has_label(gui: RelionGui, path: Path, option: Option) -> bool:
    """True where RELION sets this option by this label."""
    text = '7' if option.kind in (Kind.INT, Kind.FLOAT) else (option.choices[-1] if option.choices else HERE)
    for label in (option.label, option.label[0].lower() + option.label[1:]):
        for end in (':', '', ': ', ' '):
            try:
                written = gui.add(path, '%s%s == %s' % (label, end, text))
            except Refused:  # it knows the label, and wants another value
                return True
            if written is not None:
                rows = dict(line.split(None, 1) for line in written.read_text().splitlines() if ' ' in line.strip())
                return rows[option.name].strip().strip('"') == text
    return False


@pytest.mark.parametrize('version', [(5, 0), (5, 1)])
def test_every_flag_is_one_of_the_programs_own(version: Tuple[int, int]) -> None:
    """RELION warns about an unknown option and goes on without it; 5.1 still takes all flags of 5.0."""
    rng = random.Random(51)
    flags: Dict[str, set] = {}
    for job in (*JOBS.values(), SYMMETRY_EXPAND):
        for place in range(60):
            drawn = legal_draw(job, rng, version, extra=place % 2 == 0)
            asked = drawn.asked()
            for tokens in job.commands({**asked.values, 'other_args': ''}, 'X/job001/', version, asked.resume):
                program = re.sub('_mpi$', '', tokens[0])
                flags.setdefault(program, set()).update(token for token in tokens if token.startswith('--'))
    assert len(flags) == 13
    for program, used in flags.items():
        text = said(program, '--help')
        known = set(re.findall(r'^\s*(--\w+)', text, re.MULTILINE))
        assert len(known) > 5, text
        known.update(flag for flag in NOT_IN_HELP.get(program, ()) if knows(program, flag))
        assert used <= known, '%s does not know %s' % (program, sorted(used - known))


def knows(program: str, flag: str) -> bool:
    """True where the program looks for this option, whatever its help says."""
    if flag == '--continue':
        return 'File nowhere.star cannot be read' in said(program, flag, 'nowhere.star')
    home = relion_home()
    places = [home / 'usr' / 'bin' / program, home / 'bin' / program]  # in our own RELION, bin/ holds scripts
    return flag.encode() in next(place for place in places if place.exists()).read_bytes()


def said(program: str, *arguments: str) -> str:
    """Everything that a program of RELION prints."""
    return subprocess.run([str(relion_home() / 'bin' / program), *arguments], stdout=subprocess.PIPE, timeout=60,
                          stderr=subprocess.STDOUT, universal_newlines=True).stdout


def test_mask_and_postprocess_write_the_files_of_the_table(tmp_path: Path) -> None:
    """A name that RELION does not use makes a finished job look as if it had failed. Runs run.sh, as people would."""
    z, y, x = np.mgrid[:32, :32, :32] - 16.0
    noise = np.random.default_rng(1).normal(scale=0.02, size=(2, 32, 32, 32))
    for place, half in enumerate(np.exp(-(x ** 2 + y ** 2 / 2 + z ** 2) / 30) + noise, start=1):
        with mrcfile.new(str(tmp_path / ('half%d.mrc' % place))) as mrc:
            mrc.set_data(half.astype(np.float32))
            mrc.voxel_size = 4
    for out in ('MaskCreate/job001/', 'PostProcess/job002/'):
        (tmp_path / out).mkdir(parents=True)
    commands = MASK.commands({'fn_in': 'half1.mrc', 'inimask_threshold': 0.1}, 'MaskCreate/job001/')
    commands += POSTPROCESS.commands({'fn_in': 'half1.mrc', 'fn_mask': 'MaskCreate/job001/mask.mrc',
                                      'do_auto_bfac': False, 'do_adhoc_bfac': True, 'adhoc_bfac': -100.0},
                                     'PostProcess/job002/')
    (tmp_path / 'run.sh').write_text(run_script(commands, relion_home=str(relion_home())))
    done = subprocess.run(['sh', 'run.sh'], cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120, universal_newlines=True)
    assert done.returncode == 0, done.stdout
    for out, names in (('MaskCreate/job001', files.MASK_FILES), ('PostProcess/job002', files.POSTPROCESS_FILES)):
        assert {entry.name for entry in (tmp_path / out).iterdir()} >= set(names.values())
