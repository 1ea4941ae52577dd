"""Commands of jobs/ against those that RELION's own GUI makes for the same options, token for token."""
import random
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

import pytest

from relionsta.jobs.command import commands_of
from relionsta.jobs.job import Job
from relionsta.jobs.job_star import JobStarError, read_job_star, write_job_star
from relionsta.jobs.registry import JOBS
from relionsta.tests.relion.job_draws import WILD_NAMES, Draw, legal_draw, wild_draw
from relionsta.tests.relion.relion_gui import QUEUE, Answer, RelionGui, star_text

DRAWS, WILD_DRAWS = 100, 40
SEED = 51
VERSION = (5, 1)


class Fault(NamedTuple):
    """A token of RELION's GUI that we replace, and why."""

    ours: str
    reason: str


#: Where we differ from RELION's GUI on purpose: (job type, GUI's token) -> what we say.
FAULTS: Dict[Tuple[str, str], Fault] = {
    ('relion.ctfrefinetomo', '--per_tomo_scale'): Fault(
        '--per_tomogram_scale', 'the program does not know the option that the GUI gives it; it warns, and fits one '
                                'luminance for all tomograms instead'),
}


def corrected(job: Job, commands: List[List[str]], met: List[str]) -> List[List[str]]:
    """RELION's commands with its faults mended; the faulty tokens go to `met`."""
    mended = []
    for tokens in commands:
        faulty = [token for token in tokens if (job.type, token) in FAULTS]
        met += faulty
        mended.append([FAULTS[(job.type, token)].ours if token in faulty else token for token in tokens])
    return mended


class Asker:
    """Asks RELION for draws, in a project where the files are that it looks for."""

    def __init__(self, folder: Path) -> None:
        self.gui = RelionGui(folder)
        self.gui.touch([name for name in ['maps/bodies.star', *WILD_NAMES] if name])
        self.file = folder / 'asked.star'

    def ask(self, drawn: Draw) -> Tuple[str, Answer]:
        """(job folder, what RELION says); the job.star stays in `file`."""
        out = self.gui.next_out(drawn.job.folder)
        if drawn.job.type == 'relion.multibody':  # the analysis of a finished run looks for its files
            self.gui.touch([out + 'run_model.star', out + 'run_data.star'])
        text = star_text(drawn.job.type, {**drawn.rows, **QUEUE}, drawn.goes_on)
        self.file.write_text(text)
        return out, self.gui.ask(drawn.job.type, out, text)


def test_the_draws_are_enough() -> None:
    """A few draws miss the flag that only three options together bring out."""
    assert len(JOBS) == 13 and DRAWS * len(JOBS) >= 1000


@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_commands_equal_those_of_relions_gui(job: Job, tmp_path: Path) -> None:
    """A flag that is missing, misspelt, rounded or out of place silently changes what RELION computes.

    Every draw goes the way of a protocol (Job.commands), every fourth that of the command line as well.
    """
    rng = random.Random('%d %s' % (SEED, job.type))
    asker = Asker(tmp_path)
    wrong, met, resumed = [], [], 0
    for place in range(DRAWS):
        drawn = legal_draw(job, rng, VERSION)
        asked = drawn.asked()
        out, answer = asker.ask(drawn)
        assert not answer.refused, '%s refuses %s' % (answer.refused, drawn.rows)
        expected = corrected(job, answer.commands, met)
        ours = [job.commands(asked.values, out, VERSION, asked.resume)]
        if place % 4 == 0:
            ours.append(commands_of(asker.file, VERSION, out).commands)
        wrong += ['RELION: %s\nours:   %s' % (expected, mine) for mine in ours if mine != expected]
        resumed += asked.goes_on
    assert not wrong, '%d of %d differ; the first:\n%s' % (len(wrong), DRAWS, wrong[0])
    assert {token for job_type, token in FAULTS if job_type == job.type} == set(met), 'a fault that RELION has no more'
    assert resumed > 5


@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_what_relions_gui_refuses_is_refused(job: Job, tmp_path: Path) -> None:
    """A command of half-filled options would run, on the wrong data; and what RELION takes, people want to see."""
    rng = random.Random('%d wild %s' % (SEED, job.type))
    asker = Asker(tmp_path)
    refused, wrong = [], []
    for _ in range(WILD_DRAWS):
        drawn = wild_draw(job, rng, VERSION)
        out, answer = asker.ask(drawn)
        try:
            ours, why = commands_of(asker.file, VERSION, out).commands, ''
        except JobStarError as error:
            ours, why = [], str(error)
        refused.append(bool(why))
        if bool(why) != bool(answer.refused) or ours != corrected(job, answer.commands, []):
            wrong.append('RELION: %s %s\nours:   %s %s\n%s' % (answer + (ours, why, drawn.rows)))
    assert not wrong, '%d of %d differ; the first:\n%s' % (len(wrong), WILD_DRAWS, wrong[0])
    assert True in refused and (False in refused or job.type == 'relion.localres')


@pytest.mark.parametrize('label, is_tomo, right', [
    ('relion.class3d', True, True), ('relion.class3d.tomo', True, True), ('relion.refine3d', True, True),
    ('relion.initialmodel', True, True), ('relion.localres.own', False, True), ('relion.maskcreate', False, True),
    ('relion.class3d', False, False), ('relion.refine3d.tomo', False, False), ('relion.select', True, False)])
def test_types_are_taken_as_relion_takes_them(label: str, is_tomo: bool, right: bool, tmp_path: Path) -> None:
    """RELION's files spell one type in several ways, and one spelling means single particles or tomograms."""
    gui = RelionGui(tmp_path)
    rows = {'in_optimisation': 'o.star', 'fn_ref': 'r.mrc', 'fn_in': 'half1.mrc', 'do_resmap_locres': 'No',
            'do_relion_locres': 'Yes', **QUEUE}
    text = star_text(label, rows, is_tomo=is_tomo)
    (tmp_path / 'asked.star').write_text(text)
    out = gui.next_out('Job')
    answer = gui.ask(label, out, text)
    if right:
        assert commands_of(tmp_path / 'asked.star', VERSION, out).commands == answer.commands != []
        return
    with pytest.raises(JobStarError):
        commands_of(tmp_path / 'asked.star', VERSION, out)
    assert answer.refused or label == 'relion.select'


@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_relion_reads_the_job_star_that_we_write(job: Job, tmp_path: Path) -> None:
    """Settings saved here must open in RELION's GUI, which takes a default in silence for what it cannot read."""
    rng = random.Random('%d written %s' % (SEED, job.type))
    gui = RelionGui(tmp_path)
    gui.touch(['maps/bodies.star'])
    for _ in range(5):
        asked = legal_draw(job, rng, VERSION)._replace(goes_on=False).asked()
        values = job.complete(asked.values, VERSION)
        write_job_star(tmp_path / 'ours.star', job, values, VERSION)
        extra = {option.name for option in job.options if option.extra}
        theirs = gui.add(tmp_path / 'ours.star')
        assert theirs is not None
        for path in (tmp_path / 'ours.star', theirs):
            read = read_job_star(path, VERSION)
            assert (read.job, read.unknown, read.goes_on) == (job, (), False)
            assert set(read.values) >= {option.name for option in job.options if option.exists_in(VERSION)} - extra
            assert job.complete(read.values, VERSION) == values
