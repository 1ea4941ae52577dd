"""Reconstruct tomograms from aligned tilt series."""
from typing import List

from .common import IO, NR_MPI, NR_THREADS, OTHER_ARGS
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import flag, flag_if

TAB = 'Reconstruct'


def _edge(name: str, label: str, default: int, axis: str) -> Option:
    return Option(name, Kind.INT, default, 'Unbinned tomogram %s' % label,
                  'Size along %s in pixels of the tilt series.' % axis, TAB, unit='pixels', hard=(2, None),
                  sensible=(100, 8192))


OPTIONS = (
    Option('in_tiltseries', Kind.PATH, '', 'Input tilt series', 'The tomograms.star of the aligned tilt series.', IO),
    Option('generate_split_tomograms', Kind.BOOL, False, 'Generate tomograms for denoising?',
           'Yes: two tomograms of each tilt series, from even and odd movie frames, as denoising programs learn from. '
           'Needs even and odd tilt images.', IO),
    Option('do_proj', Kind.BOOL, True, 'Also write 2D sums of central Z-slices?',
           'Yes: an image of the middle of each tomogram, to see at a glance which are good.', IO),
    Option('centre_proj', Kind.FLOAT, 0.0, 'Central Z-slice (in binned pix)',
           'Middle of the slices that are summed, counted from the middle of the tomogram.', IO, sensible=(-500, 500),
           condition='do_proj'),
    Option('thickness_proj', Kind.FLOAT, 10.0, 'Number of Z-slices (in binned pix)', 'How many slices are summed.', IO,
           hard=(1, None), sensible=(1, 200), condition='do_proj'),
    _edge('xdim', 'width (Xdim)', 4000, 'X'),
    _edge('ydim', 'height (Ydim)', 4000, 'Y'),
    _edge('zdim', 'thickness (Zdim)', 2000, 'Z'),
    Option('binned_angpix', Kind.FLOAT, 10.0, 'Binned pixel size (A)',
           'Pixel size of the tomograms. 5 to 10 Å is good for picking; averaging does not use the tomograms.', TAB,
           unit='A', hard=(0.1, None), sensible=(1, 30)),
    Option('tiltangle_offset', Kind.FLOAT, 0.0, 'Tilt angle offset (deg)',
           'Added to all tilt angles of all series, to level lamellae that were milled at an angle. The same for all '
           'tomograms of the job.', TAB, unit='deg', hard=(-90, 90), sensible=(-25, 25)),
    Option('tomo_name', Kind.TEXT, '', 'Reconstruct only this tomogram', 'Empty for all tomograms.', TAB),
    Option('do_fourier', Kind.BOOL, True, 'Use Fourier-inversion?',
           'Yes: invert in Fourier space, with a Wiener filter whose signal-to-noise ratio comes from even and odd '
           'frames (or without it, see below). No: weighted back-projection.', TAB),
    Option('ctf_intact_first_peak', Kind.BOOL, True, 'Ignore CTFs until first peak?',
           'Yes: the lowest frequencies are not boosted by the CTF correction: less contrast, more detail.', TAB,
           condition='do_fourier'),
    Option('do_skip_wiener', Kind.BOOL, False, 'Skip Wiener filter?',
           'Yes: multiply by the CTF and do not divide by its square; needs no even and odd frames. The choice for '
           'tomograms that 3D subtomos will be cut from.', TAB, condition='do_fourier', since=(5, 1)),
    NR_MPI, NR_THREADS, OTHER_ARGS,
)


def _fourier(request: Request) -> List[str]:
    if not request['do_fourier']:
        return []
    skip = request.version >= (5, 1) and request['do_skip_wiener']
    return (['--fourier'] + flag_if(request['ctf_intact_first_peak'], '--ctf_intact_first_peak')
            + flag_if(skip, '--skip_fourier_wiener'))


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI."""
    projection = (['--do_proj'] + flag('--centre_proj', request['centre_proj'])
                  + flag('--thickness_proj', request['thickness_proj'])) if request['do_proj'] else []
    offset = flag('--tiltangle_offset', request['tiltangle_offset']) if request['tiltangle_offset'] else []
    return [[request.program('relion_tomo_reconstruct_tomogram')] + flag('--t', request['in_tiltseries'])
            + ['--o', request.out] + flag_if(request['tomo_name'], '--tn', request['tomo_name'])
            + flag_if(request['generate_split_tomograms'], '--generate_split_tomograms')
            + flag('--w', request['xdim']) + flag('--h', request['ydim']) + flag('--d', request['zdim'])
            + flag('--binned_angpix', request['binned_angpix']) + _fourier(request) + projection + offset
            + flag_if(request.resume, '--only_do_unfinished') + flag('--j', request['nr_threads'])
            + request.other_args()]


def check(found: Complaints) -> None:
    """What RELION refuses, and what it takes in silence and does wrong."""
    found.missing('in_tiltseries', 'Choose a tomograms.star.')
    if found['generate_split_tomograms'] and found['do_fourier']:
        found.add('generate_split_tomograms', 'and Fourier inversion makes no even and odd tomograms.',
                  'Choose No here or in "Use Fourier-inversion?".', gui=True)
    if any(character.isspace() for character in found['tomo_name']):
        found.add('tomo_name', "and a tomogram's name has no blank in it.", 'Give one name, or none for all tomograms.')
    for name in ('xdim', 'ydim', 'zdim'):
        if found[name] % 2:
            found.add(name, 'which is odd: RELION puts particles and images half a pixel apart in odd tomograms.',
                      'Choose %d.' % (found[name] + 1), fatal=False)


RECONSTRUCT_TOMOGRAMS = Job('relion.reconstructtomograms', 'Reconstruct tomograms', 'Tomograms', OPTIONS, build, (check,))
