"""Suggestions against the numbers that people who teach subtomogram averaging use, and against physics."""
import pytest

from relionsta.suggest import search, sizes, start
from relionsta.suggest.machine import suggest_parallel

BIN4 = 4 * 1.91


def test_box_of_a_ribosome():
    """A ribosome at bin 4 of 1.91 Å is 46 pixels wide and gets 72, or 84: a wrong rule would cut off its signal."""
    found = sizes.suggest_box(350, BIN4)
    assert found.value == 72
    assert {72, 84} <= set(sizes.quick_boxes(1.5 * 46, 2 * 46))
    assert '46 pixels' in found.reason and '84' in found.reason and '550 Å' in found.reason
    assert 1.5 <= found.value * BIN4 / 350 <= 2


@pytest.mark.parametrize('diameter', [60, 120, 137, 350, 801])
@pytest.mark.parametrize('pixel', [1.0, 2.71, 7.64, 13.3])
def test_boxes_are_wide_enough_and_even(diameter, pixel):
    """A box below 1.5 particles loses signal, an odd one breaks RELION's images, a much larger one costs days."""
    box = sizes.suggest_box(diameter, pixel).value
    assert box % 2 == 0
    assert 1.5 * diameter - 1e-6 <= box * pixel <= 1.5 * diameter * 1.25 + 2 * pixel


def test_box_again_is_as_wide():
    """Re-extraction at another binning must keep the width in Å: 84 pixels at bin 4 are 336 at bin 1, or a little more."""
    assert sizes.suggest_box_again(84, BIN4, BIN4).value == 84
    again = sizes.suggest_box_again(84, BIN4, 1.91).value
    assert 336 <= again <= 360
    assert sizes.suggest_box_again(72, BIN4, 1.91).value == 288


def test_mask_diameter_and_limit():
    """84 px at bin 4 of 1.91 Å: about 570 Å and about 15 Å; a diameter above the box is taken by RELION in silence."""
    diameter = sizes.suggest_mask_diameter(84, BIN4)
    assert diameter.value == 570 and '90 %' in diameter.reason and '642 Å' in diameter.reason
    assert sizes.suggest_estep_limit(BIN4).value == pytest.approx(15.28)
    for box, pixel in ((16, 5.0), (24, 8.0), (512, 0.8), (4, 0.6)):
        value = sizes.suggest_mask_diameter(box, pixel).value
        assert 0.85 * 0.9 * box * pixel < value <= 0.9 * box * pixel


@pytest.mark.parametrize('resolution, low_pass', [(22, 25), (21, 25), (27, 30), (15.67, 20), (9.55, 15), (None, 50)])
def test_low_pass(resolution, low_pass):
    """25 Å after 22 Å or 21 Å, 50 Å where nothing is known: a reference with its own noise biases the result."""
    assert start.suggest_low_pass(resolution).value == low_pass


def test_low_pass_is_never_beyond_nyquist():
    """A map of 5.65 Å says nothing about what particles at bin 4 can hold."""
    found = start.suggest_low_pass(5.65, BIN4)
    assert found.value == 20 and '15.28' in found.reason


def test_t_values_and_sharpening():
    """The T values to try side by side; no fit of a B-factor far from 6 Å, where it gives any number."""
    assert start.suggest_t_values().value == (0.5, 1, 2, 4)
    fit, given = start.suggest_sharpening(15.3)
    assert not fit and given.value == -200 and '15.3' in given.reason
    assert start.suggest_sharpening(5.6)[0] and not start.suggest_sharpening(None)[0]


def test_binning():
    """Bin 4 for a ribosome at 1.91 Å; small particles are not binned away."""
    assert sizes.suggest_binning(350, 1.91).value == 4
    assert sizes.suggest_binning(350, 0.8).value == 8
    assert sizes.suggest_binning(60, 1.35).value == 1
    assert sizes.suggest_binning(30, 1.35).value == 1
    assert 'no finer' in sizes.suggest_binning(30, 1.35).reason


def test_precrop_follows_the_spread_of_defocus():
    """lambda z / d: 0.0197 Å x 30000 Å / 4 Å = 148 Å to each side at 300 kV."""
    assert sizes.electron_wavelength(300) == pytest.approx(0.01969, abs=2e-5)
    assert sizes.electron_wavelength(200) == pytest.approx(0.02508, abs=2e-5)
    found = sizes.suggest_precrop(200, 2.0, 30000, 300)
    assert found.value >= 400 + 2 * 147.6 and found.value % 4 == 0 and '148 Å' in found.reason


def test_estimation_box_is_wider_than_the_reference():
    """CTF refinement and polishing refuse a box below that of the reference."""
    found = sizes.suggest_estimation_box(84, BIN4, 1.91)
    assert 336 * 1.5 <= found.value <= 336 * 1.6 and found.value % 2 == 0


def test_room():
    """Disk and memory decide whether a run can be made at all: 2 bytes a pixel, and what RELION was seen to take."""
    assert sizes.disk_bytes(1000, 40, 84) == 1000 * 40 * 84 * 84 * 2
    assert sizes.disk_bytes(10, 40, 32, float16=False, stacks=False) == 10 * 2 * 32 ** 3 * 4
    for box, classes, padding, seen in ((96, 1, 2, 248e6), (96, 3, 2, 480e6), (128, 1, 2, 577e6), (128, 3, 2, 1117e6),
                                        (128, 1, 1, 122e6)):  # relion_refine 5.1 at full resolution, one process
        assert sizes.refine_memory_bytes(box, classes, padding) == pytest.approx(seen, rel=0.2)
    text = sizes.describe_room(1000, 40.0, 84)
    assert '564 MB' in text and '191 MB' in text and '1000 particles of 40 images' in text


@pytest.mark.parametrize('call', [lambda: sizes.suggest_box(0, 2), lambda: sizes.suggest_box(100, -1),
                                  lambda: sizes.suggest_mask_diameter(0, 2), lambda: start.suggest_low_pass(0),
                                  lambda: sizes.suggest_estep_limit(0), lambda: suggest_parallel(0, True),
                                  lambda: search.suggest_search(None, True, 0)])
def test_impossible_inputs_are_refused(call):
    """A number from a damaged input must not become a value in a form."""
    with pytest.raises(ValueError):
        call()


def test_search_of_picks():
    """Picks of template matching: local, 5 degrees, offsets of 2 pixels in steps of 1; without angles everything."""
    advice = search.suggest_search(None, True, BIN4)
    assert (advice.local.value, advice.range.value) == (True, 5)
    assert (advice.offset_range.value, advice.offset_step.value) == (2, 1)
    assert float(advice.step.value.split()[0]) <= 5
    assert search.suggest_search(None, True, BIN4, auto=True).step.value == '1.8 degrees'
    blind = search.suggest_search(None, False, BIN4)
    assert (blind.local.value, blind.step.value, blind.offset_range.value) == (False, '7.5 degrees', 5)
    assert 'No, since the particles have no angles' in blind.lines()


def test_search_after_a_search():
    """After a global search: local, no coarser than its step, wide enough for it; offsets of bin 4 seen at bin 1."""
    after = search.Search(7.5, 7.64, 'the run before')
    advice = search.suggest_search(after, True, 1.91)
    assert advice.local.value and advice.step.value == '7.5 degrees' and advice.range.value == 22.5
    assert advice.offset_range.value == 5 and 'the run before has aligned' in advice.lines()
    fine = search.suggest_search(search.Search(0.9375, 1.9, 'x'), True, 1.91, auto=True)
    assert fine.step.value == '0.9 degrees' and fine.range.value == 5 and fine.offset_range.value == 2


def test_sampling_is_of_relions_list():
    """RELION's steps are 60 / 2^order; the list rounds them: 3.75 is its 3.7, 0.9375 its 0.9."""
    assert [search.sampling_text(60 / 2 ** order) for order in (1, 2, 3, 4, 5, 6)] == [
        '30 degrees', '15 degrees', '7.5 degrees', '3.7 degrees', '1.8 degrees', '0.9 degrees']
    assert search.sampling_text(0.001) == '0.1 degrees'


@pytest.mark.parametrize('cores', [1, 2, 3, 4, 8, 16, 24, 64, 96])
@pytest.mark.parametrize('halves', [True, False])
def test_processes_and_threads(cores, halves):
    """Auto-refine stops with an even number of processes; more threads than cores wait for each other."""
    found = suggest_parallel(cores, halves)
    workers = max(1, found.mpi - 1)
    assert not halves or (found.mpi >= 3 and found.mpi % 2 == 1)
    assert found.threads >= 1 and workers * found.threads <= max(cores, 2)
    assert str(cores) in found.reason


def test_memory_limits_the_processes():
    """Sixteen cores, but memory for four processes only."""
    found = suggest_parallel(64, True, per_process=10e9, memory=64e9)
    assert found.mpi == 5 and found.threads == 16 and '64 GB' in found.reason
    assert 'short' in suggest_parallel(4, True, per_process=1e12, memory=64e9).reason
    assert suggest_parallel(16, True, gpus=4).mpi == 5
