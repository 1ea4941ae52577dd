"""RELION's job.star: a job and its values as RELION's GUI saves them."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from ..star.cells import Cells, read_cells
from .files import CLASS3D, INITIAL_MODEL, REFINE3D
from .job import NEWEST, Job, Values
from .option import Kind, Option, Value, Version
from .registry import JOBS
from .tokens import TypedFloat, TypedInt, number

HEAD, OPTIONS = 'job', 'joboptions_values'
TYPE, IS_CONTINUE, IS_TOMO = 'rlnJobTypeLabel', 'rlnJobIsContinue', 'rlnJobIsTomo'
NAME, VALUE = 'rlnJobOptionVariable', 'rlnJobOptionValue'
#: Where a job is to run; of every job of RELION's GUI, and of no concern to its commands.
QUEUE = frozenset(('do_queue', 'queuename', 'qsub', 'qsubscript', 'min_dedicated'))
#: Jobs of single particles as well: only rlnJobIsTomo tells which is meant.
_ALSO_SINGLE_PARTICLE = frozenset((CLASS3D, REFINE3D, INITIAL_MODEL))
_TOMO = '.tomo'
_YES_NO = {'Yes': True, 'No': False}

PathLike = Union[str, Path]


class JobStarError(ValueError):
    """A job.star that makes no job of ours: says which file, block, option and value, and what to do."""


@dataclass(frozen=True)
class JobStar:
    """What a job.star says.

    values: by option name, as far as the file has them; numbers keep their spelling. goes_on: it was made by RELION's
    "Continue". unknown: names of options that the job does not have in that version, which RELION passes over.
    """

    job: Job
    values: Values
    goes_on: bool
    unknown: Tuple[str, ...]

    @property
    def resume(self) -> bool:
        """True where the job folder itself says what is still to be done (no iteration to go on from is named)."""
        return self.goes_on and not self.values.get('fn_cont')


def read_job_star(path: PathLike, version: Optional[Version] = NEWEST) -> JobStar:
    """What the job.star of a job of ours says; options as RELION `version` (None: any) has them, and those of its
    programs that its GUI does not have.

    Raises StarError where the file is no STAR file or lacks a block, JobStarError for another job's type and for values
    of a wrong kind.
    """
    blocks = read_cells(path, [HEAD, OPTIONS])
    job = _job(path, blocks[HEAD])
    goes_on = _flag(path, blocks[HEAD], IS_CONTINUE)
    known = {option.name: option for option in job.options if version is None or option.exists_in(version)}
    values: Values = {}
    unknown = []
    for name, text in _rows(path, blocks[OPTIONS]).items():
        if name in known:
            values[name] = option_value(path, known[name], text)
        elif name not in QUEUE and not name.startswith('qsub_extra'):
            unknown.append(name)
    if not goes_on and 'fn_cont' in values:
        values['fn_cont'] = ''  # RELION keeps the name, and looks at it only after "Continue"
    return JobStar(job, values, goes_on, tuple(unknown))


def write_job_star(path: PathLike, job: Job, values: Mapping[str, Any], version: Version = NEWEST) -> None:
    """Write a job.star that RELION's GUI opens; defaults for options without a value.

    Options of RELION's programs that its GUI does not have are written too: it passes over them, with a word. Raises
    StarError for text that STAR cannot hold, ValueError as `Job.complete` does.
    """
    import pandas as pd

    from ..star.writer import write_star
    whole = job.complete(values, version)
    texts = {option.name: _text(whole[option.name]) for option in job.options if option.exists_in(version)}
    rows = sorted(texts.items())
    write_star(path, {HEAD: {TYPE: job.type, IS_CONTINUE: int(bool(whole.get('fn_cont'))), IS_TOMO: 1},
                      OPTIONS: pd.DataFrame(rows, columns=[NAME, VALUE])})


def option_value(path: PathLike, option: Option, text: str) -> Value:
    """The text of a job.star as the option's kind; numbers keep their spelling. path: of the file, for the message.

    Raises JobStarError for text that is no value of that kind.
    """
    try:
        if option.kind is Kind.INT:
            return TypedInt(text)
        if option.kind is Kind.FLOAT:
            return TypedFloat(text)
        return option.check_type(_YES_NO.get(text) if option.kind is Kind.BOOL else text)
    except ValueError:
        raise JobStarError('%s, block data_%s: %s ("%s") is "%s"; give %s'
                           % (path, OPTIONS, option.name, option.label, text, _wanted(option))) from None


def find_job(label: str) -> Job:
    """The job of a type as RELION writes it: some types carry what was asked at their end (relion.localres.own).

    Raises KeyError for a job that we do not have.
    """
    for job in JOBS.values():
        base = job.type[:-len(_TOMO)] if job.type.endswith(_TOMO) else job.type
        if (label + '.').startswith(base + '.'):
            return job
    raise KeyError(label)


def _job(path: PathLike, head: Cells) -> Job:
    label = _cell(path, head, TYPE)
    try:
        job = find_job(label)
    except KeyError:
        raise JobStarError('%s, block data_%s: %s is "%s", which is none of our jobs; they are %s'
                           % (path, HEAD, TYPE, label, ', '.join(JOBS))) from None
    if job.type in _ALSO_SINGLE_PARTICLE and not _flag(path, head, IS_TOMO):
        raise JobStarError('%s, block data_%s: %s is not 1, so this %s is one of single particles, which are not done '
                           'here; if it is of subtomograms, set it to 1' % (path, HEAD, IS_TOMO, label))
    return job


def _cell(path: PathLike, head: Cells, label: str) -> str:
    if len(head.columns.get(label, ())) != 1:
        raise JobStarError('%s, block data_%s: %s is missing; take a job.star that RELION 4 or newer saved'
                           % (path, HEAD, label))
    return head.columns[label][0]


def _flag(path: PathLike, head: Cells, label: str) -> bool:
    """A yes or no of the head; RELION takes a missing one for no."""
    if label not in head.columns:
        return False
    text = _cell(path, head, label)
    if text not in ('0', '1'):
        raise JobStarError('%s, block data_%s: %s is "%s"; give 1 or 0' % (path, HEAD, label, text))
    return text == '1'


def _rows(path: PathLike, table: Cells) -> Dict[str, str]:
    """Option name -> text; the last one where a name is there twice, as RELION reads it."""
    missing = [label for label in (NAME, VALUE) if label not in table.columns]
    if missing:
        raise JobStarError('%s, block data_%s: the column %s is missing; take a job.star that RELION saved'
                           % (path, OPTIONS, missing[0]))
    return dict(zip(table.columns[NAME], table.columns[VALUE]))


def _wanted(option: Option) -> str:
    if option.kind is Kind.CHOICE:
        return 'one of: ' + ', '.join(option.choices)
    return {Kind.BOOL: 'Yes or No', Kind.INT: 'a whole number'}.get(option.kind, 'a number')


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return 'Yes' if value else 'No'
    return value if isinstance(value, str) else number(value)
