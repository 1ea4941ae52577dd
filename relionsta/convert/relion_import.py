"""Files of a RELION project -> files of this project that name the same things, for sets to remember.

Everything is kept, column by column; only paths change, which RELION counts from its project and Scipion from its own.
"""
import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import pandas as pd

from relionsta.names import series_trouble
from relionsta.objects import SetOfStaParticles
from relionsta.sources.relion_job import RelionJob
from relionsta.sources.text import short_list
from relionsta.star import StarError, may_be_cut, read_star, require_columns, write_star
from relionsta.star.checks import check_names
from relionsta.star.paths import PATH_LABELS
from relionsta.star.schemas import ALIGNMENT_COLUMNS, DEFOCUS_COLUMNS, check_particle_names, check_tilt_series

from .errors import ConvertError
from .particle_info import set_info
from .particles import check_rows
from .parts import NAME, TOMOGRAM
from .poses import COORDINATES, check_poses
from .series import check_ts_id, scipion_ts_id
from .tilt_tables import read_overview, tilt_tables

CORNER = ['rlnCoordinateX', 'rlnCoordinateY', 'rlnCoordinateZ']
SIZES = ['rlnTomoSizeX', 'rlnTomoSizeY', 'rlnTomoSizeZ']
TILT_FILE, PIXEL = 'rlnTomoTiltSeriesStarFile', 'rlnTomoTiltSeriesPixelSize'
IMAGE, VISIBLE = 'rlnImageName', 'rlnTomoVisibleFrames'
#: Columns that hold the path of a file, perhaps as n@path or with :mrcs; RELION 5.0 beta had one more.
PATHS = PATH_LABELS | {'rlnTomoReconstructedTomogramDenoised'}


class Brought(NamedTuple):
    """What a job's files have become. '' and None: there is no such file.

    usable: (tsIds as RELION's names) of tilt series that Scipion can have; refused: name -> why it cannot. has_ctf: all
    usable ones have a defocus. missing_images, missing_tilts: files that are named and not there, of how many. rows: the
    particles, with an optics table or without (picks). first_image: of a particle, as RELION names it.
    refused_particles: why there are none. cut: files that RELION wrote and that lack their end.
    """

    particles: str
    tomograms: str
    trajectories: str
    overview: Optional[pd.DataFrame]
    usable: List[str]
    refused: Dict[str, str]
    has_ctf: bool
    missing_images: Tuple[int, int]
    missing_tilts: Tuple[int, int]
    rows: Optional[pd.DataFrame]
    has_optics: bool
    first_image: str
    refused_particles: str
    cut: List[str]


def bring(job: RelionJob, folder: str, prefix: str, given: Mapping[str, float]) -> Brought:
    """Write particles.star, tomograms.star and tilt_series/*.star of a job into `folder`, which is there.

    prefix: RELION's project as this project sees it, '' where the two are one. given: value of columns that the optics
    tables may lack (rlnVoltage, ...). A tilt series that cannot be used is named with the reason; the particles keep it.
    Raises StarError for a tomograms.star that cannot be read.
    """
    overview, usable, refused, tilts, has_ctf, tomograms, copies = None, [], {}, (0, 0), False, '', {}  # type: Any
    if job.tomograms:
        tomograms = os.path.join(folder, 'tomograms.star')
        overview, copies, tilts = _bring_tomograms(job, folder, prefix, given)
    rows, images, first, has_optics, reason = None, (0, 0), '', False, ''  # type: Any
    if job.particles:
        path = os.path.join(folder, 'particles.star')
        try:
            rows, images, first, has_optics = _bring_particles(job, path, prefix, given, overview)
        except StarError as error:
            reason = _told(error, {path: str(job.at(job.particles))})
    if job.tomograms:
        usable, refused, has_ctf = _look_at_series(tomograms, copies, _flags(rows))
    sources = dict.fromkeys([*copies.values(), *([str(job.at(job.particles))] if job.particles else [])])
    cut = [source for source in sources if os.path.isfile(source) and may_be_cut(source)]
    return Brought(os.path.join(folder, 'particles.star') if rows is not None else '', tomograms,
                   rebase(job.trajectories, prefix), overview, usable, refused, has_ctf, images, tilts, rows, has_optics,
                   first, reason, cut)


def rebase(name: str, prefix: str) -> str:
    """A path of RELION's project as this project sees it; `n@` and absolute paths stay."""
    number, at, path = name.rpartition('@')
    if not prefix or path in ('', 'None') or os.path.isabs(path):
        return name
    return number + at + os.path.join(prefix, path)


def as_seen(job: RelionJob, path: Path, prefix: str) -> str:
    """A file of a job as this project sees it."""
    inside = os.path.relpath(str(path), str(job.project))
    return str(path) if inside.startswith(os.pardir) else rebase(inside, prefix)


def plain_path(name: str) -> str:
    """The file of `n@file:mrcs`."""
    path = name.rpartition('@')[2]
    return path.rsplit(':', 1)[0] if path.endswith((':mrcs', ':mrc')) else path


def _rebased(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    labels = [label for label in table if label in PATHS] if prefix else []
    changed = table.assign(**{label: [rebase(str(name), prefix) for name in table[label]] for label in labels})
    changed.attrs.update(table.attrs)
    return changed


# ----------------------------------------------------------------------------------------------------- tilt series
def _bring_tomograms(job: RelionJob, folder: str, prefix: str, given: Mapping[str, float]) -> Any:
    """Block global as it was written, copy -> original of each file, (tilt images that are gone, of how many)."""
    source = str(job.at(job.tomograms))
    blocks = read_star(source)
    if 'global' not in blocks:
        raise StarError(source, 'the block data_global is missing; a tomograms.star of RELION 5 or WarpTools is needed')
    overview = _filled(blocks['global'], given)
    if TOMOGRAM in overview:  # files get these names
        check_names(overview[TOMOGRAM].astype(str), series_trouble, source, 'global')
    os.makedirs(os.path.join(folder, 'tilt_series'), exist_ok=True)
    copies = {os.path.join(folder, 'tomograms.star'): source}
    names, images = [], []  # type: List[str], List[str]
    for row in overview.to_dict('records'):
        name, file = str(row.get(TOMOGRAM, '')), row.get(TILT_FILE)
        tables = read_star(job.at(file)) if file and job.at(str(file)).is_file() else {
            name: blocks[name] for name in [name] if name in blocks}
        copy = os.path.join(folder, 'tilt_series', name + '.star')
        names.append(copy)
        copies[copy] = str(job.at(str(file))) if file else source
        if not tables:
            continue
        write_star(copy, {block: _rebased(table, prefix) for block, table in tables.items()})
        images += [str(row['rlnTomoTiltSeriesName'])] if 'rlnTomoTiltSeriesName' in row else [
            one for table in tables.values() if 'rlnMicrographName' in table for one in table['rlnMicrographName']]
    written = _rebased(overview, prefix)
    written[TILT_FILE] = names
    write_star(os.path.join(folder, 'tomograms.star'), {'global': written})
    return written, copies, _missing([str(job.at(plain_path(one))) for one in images])


def _flags(rows: Optional[pd.DataFrame]) -> Dict[str, int]:
    """Name of a tilt series -> how many images it has by its first particle, where the particles say that."""
    if rows is None or VISIBLE not in rows:
        return {}
    first = rows.drop_duplicates(TOMOGRAM)
    return dict(zip(first[TOMOGRAM], first[VISIBLE].astype(str).str.count(',') + 1))


def _look_at_series(path: str, copies: Mapping[str, str], flags: Mapping[str, int]) -> Tuple[
        List[str], Dict[str, str], bool]:
    """Names of the tilt series that can be used, why the others cannot, and whether those all have a defocus."""
    usable, refused, has_ctf = [], {}, True  # type: List[str], Dict[str, str], bool
    try:
        overview = read_overview(path)
    except StarError as error:
        names = read_star(path, ['global'])['global'].get(TOMOGRAM, pd.Series(['all'])).astype(str)
        return [], dict.fromkeys(names, _told(error, copies)), False
    for number, name in enumerate(overview[TOMOGRAM]):
        try:
            check_ts_id(scipion_ts_id(name))
            for row, table, file in tilt_tables(overview.iloc[[number]], path):
                ctf = all(label in table for label in DEFOCUS_COLUMNS)
                check_tilt_series(table, name, file, ctf=ctf, whole_stack='rlnTomoTiltSeriesName' in row)
                require_columns(table, ALIGNMENT_COLUMNS, file, name)
                if flags.get(name, len(table)) != len(table):  # RELION takes it, and images of other tilts
                    raise StarError(file, 'it has %d images, and %s of its particles %d flags: one of the two files was '
                                          'cut, or is of another job; give the tomograms.star with which the particles '
                                          'were extracted' % (len(table), VISIBLE, flags[name]), name)
            usable.append(name)
            has_ctf &= ctf
        except (ConvertError, StarError) as error:
            refused[name] = _told(error, copies)
    return usable, refused, bool(usable) and has_ctf


def _told(error: Exception, copies: Mapping[str, str]) -> str:
    """The message of an error about one of our copies, of the file that it was made from."""
    text = str(error)
    for copy, source in copies.items():
        text = text.replace(copy, source)
    return text


# ------------------------------------------------------------------------------------------------------- particles
def _bring_particles(job: RelionJob, path: str, prefix: str, given: Mapping[str, float],
                     overview: Optional[pd.DataFrame]) -> Any:
    """The rows as they were written, (images that are gone, of how many), the first image, whether there is an optics
    table."""
    source = str(job.at(job.particles))
    blocks = read_star(source)
    name = next((block for block, table in blocks.items() if TOMOGRAM in table), None)
    if name is None:
        raise StarError(source, 'no block has the column rlnTomoName, so these are not particles of tomograms as RELION 5 '
                                'has them (WarpTools and M write those with --2d; 3D subtomograms without tomograms '
                                'cannot be used)')
    rows = blocks.pop(name)
    original = rows[IMAGE].tolist() if IMAGE in rows else []
    rows = _with_names(_rebased(rows, prefix))
    check_particle_names(rows, source)
    _check_known(rows, overview, source, str(job.at(job.tomograms)))
    rows = _with_centred(rows, overview, source)
    if 'optics' in blocks:
        blocks['optics'] = _with_microscope(_rebased(blocks['optics'], prefix), overview, given)
    write_star(path, {**blocks, 'particles': rows})
    check_rows(rows, path)
    check_poses(rows, path)
    if 'optics' in blocks:
        set_info(SetOfStaParticles(), {**blocks, 'particles': rows}, path)
    images = [plain_path(one) for one in original]
    return rows, _missing([str(job.at(one)) for one in images]), images[0] if images else '', 'optics' in blocks


def _check_known(rows: pd.DataFrame, overview: Optional[pd.DataFrame], source: str, tomograms: str) -> None:
    """StarError for particles in tomograms that the tomograms.star lacks: no job of RELION goes on with them."""
    if overview is None or TOMOGRAM not in overview:
        return
    lost = rows[TOMOGRAM][~rows[TOMOGRAM].astype(str).isin(overview[TOMOGRAM].astype(str))]
    if len(lost):
        raise StarError(source, '%d of its %d particles lie in tomograms that %s does not have (%s): that file was cut, or '
                                'is of another job; give the tomograms.star of these particles' % (
                                    len(lost), len(rows), tomograms, short_list(lost.unique().tolist())), 'particles')


def _with_names(rows: pd.DataFrame) -> pd.DataFrame:
    """With a name for each particle, as RELION gives them: tomogram/number."""
    if NAME in rows:
        return rows
    numbers = rows.groupby(TOMOGRAM, sort=False).cumcount() + 1
    return rows.assign(**{NAME: rows[TOMOGRAM].astype(str) + '/' + numbers.astype(str)})


def _with_centred(rows: pd.DataFrame, overview: Optional[pd.DataFrame], source: str) -> pd.DataFrame:
    """With centred coordinates, from RELION 4's, which count tilt-series pixels from the corner of the tomogram."""
    if all(label in rows for label in COORDINATES) or not all(label in rows for label in CORNER):
        return rows
    if overview is None or not {*SIZES, PIXEL, TOMOGRAM} <= set(overview):
        raise StarError(source, 'rlnCoordinateX, Y, Z count from the corner of the tomogram, whose size is not known; give '
                                'the tomograms.star that has rlnTomoSizeX, Y, Z', 'particles')
    sizes = overview.set_index(TOMOGRAM).reindex(rows[TOMOGRAM])[[*SIZES, PIXEL]].astype(float)
    if sizes.isna().to_numpy().any():
        lost = rows[TOMOGRAM][sizes.isna().any(axis=1).to_numpy()].iloc[0]
        raise StarError(source, 'tomogram %s of its particles is not in the tomograms.star' % lost, 'particles')
    values = (rows[CORNER].to_numpy(dtype=float) - sizes[SIZES].to_numpy() / 2) * sizes[[PIXEL]].to_numpy()
    return rows.assign(**dict(zip(COORDINATES, values.T)))


def _with_microscope(optics: pd.DataFrame, overview: Optional[pd.DataFrame], given: Mapping[str, float]) -> pd.DataFrame:
    """With the columns that tomograms.star has in its place, and those that the user has given."""
    known = {} if overview is None else {
        label: overview[label].iloc[0] for label in given if label in overview and overview[label].nunique() == 1}
    return _filled(_filled(optics, known), given)


def _filled(table: pd.DataFrame, given: Mapping[str, Any]) -> pd.DataFrame:
    """With values for the columns that are not there; None is no value."""
    wanted = {label: value for label, value in given.items() if label not in table and value is not None}
    filled = table.assign(**wanted)
    filled.attrs.update(table.attrs)
    return filled


def _missing(files: List[str]) -> Tuple[int, int]:
    """How many of these files are not there, and how many different ones there are. Folders are read once."""
    wanted: Dict[str, List[str]] = {}
    for file in set(files):
        folder, name = os.path.split(file)
        wanted.setdefault(folder, []).append(name)
    gone = 0
    for folder, names in wanted.items():
        there = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        gone += sum(name not in there for name in names)
    return gone, sum(map(len, wanted.values()))


def link_project(project: Path, link: str) -> str:
    """RELION's project as this one sees it: '' where they are one, else a link that is made; paths relative to the
    working directory. Raises ConvertError where a file is in the way."""
    if os.path.realpath(str(project)) == os.path.realpath(os.curdir):
        return ''
    if os.path.lexists(link) and not os.path.islink(link):
        raise ConvertError('%s is in the way of the link to %s' % (link, project))
    if os.path.islink(link):
        os.remove(link)
    os.symlink(str(project), link)
    return link
