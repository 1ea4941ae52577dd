"""What is read from postprocess.star."""
import dataclasses

import numpy as np
import pytest

from relionsta.results.postprocess import (
    CORRECTED,
    MASKED,
    RANDOMISED,
    TOO_TIGHT,
    UNMASKED,
    PostProcess,
    read_postprocess,
)
from relionsta.results.resolution import resolution_at
from relionsta.star import StarError
from relionsta.tests.find import shared_data

from .relion_job_folder import list_block, loop_block

REAL = 'relion5-hiv-project/PostProcess/job026/postprocess.star'


def test_real_result():
    """Resolution, mask and curves of a real run, in the units that we promise."""
    found = read_postprocess(shared_data(REAL))
    assert found.resolution == 3.987692
    assert found.b_factor is None  # RELION writes 0 where it did not sharpen
    assert found.mask_fraction == pytest.approx(0.476 / 10.682012)
    assert (found.mask, found.randomised_from) == ('mask_fsc.mrc', 7.854546)
    assert found.half_maps == ('Reconstruct/job025/half1.mrc', 'Reconstruct/job025/half2.mrc')
    assert list(found.fsc) == [CORRECTED, MASKED, UNMASKED, RANDOMISED]
    assert found.frequency[0] == 0
    assert found.nyquist == pytest.approx(2.7, rel=1e-6)
    assert np.all(np.diff(found.frequency) > 0)
    assert found.fsc[UNMASKED][5] == 0.999706


def test_resolution_and_curve_agree():
    """The number and the plotted curve must tell the same: RELION's rule on its own corrected curve."""
    found = read_postprocess(shared_data(REAL))
    assert resolution_at(found.frequency, found.fsc[CORRECTED]) == pytest.approx(found.resolution, rel=1e-6)


def result(randomised, masked=0.5, corrected=0.5, unmasked=0.3):
    """A result at 24 Å, phases randomised from 40 Å on; one value of each curve for all of its 13 shells."""
    curves = {RANDOMISED: randomised, MASKED: masked, CORRECTED: corrected, UNMASKED: unmasked}
    return PostProcess('p.star', 24., None, 'm.mrc', 0.1, 40., ('a_half1.mrc', 'a_half2.mrc'), np.arange(13) / 240.,
                       {name: np.full(13, 1.) * values for name, values in curves.items()}, None)


def test_what_the_mask_alone_correlates():
    """A tight mask gives a resolution that is not there; RELION corrects for it only in part, and does not warn."""
    falling = np.array([1, 1, 1, 1, 1, 1, 1, 0.6, 0.04, 0.02, 0.03, 0.05, 0.9])
    assert result(falling).mask_effect == pytest.approx(np.mean([0.04, 0.02, 0.03, 0.05])) and TOO_TIGHT == 0.1
    assert result(np.maximum(falling, 0.3)).mask_effect == pytest.approx(0.3)
    real = read_postprocess(shared_data(REAL))
    assert 0 < real.mask_effect < TOO_TIGHT and not real.mask_left_out
    assert dataclasses.replace(real, randomised_from=None).mask_effect is None
    assert dataclasses.replace(real, randomised_from=real.resolution).mask_effect is None


def test_a_mask_that_relion_left_out():
    """RELION takes the curve without mask where that is better, says so in its log only, and masks nothing."""
    assert result(0.7, corrected=0.3).mask_left_out
    assert not result(0.0).mask_left_out
    assert not result(0.0, masked=0.3, corrected=0.3).mask_left_out  # a mask of the whole box changes nothing


def test_guinier_without_amplitude_is_no_value():
    """RELION's -99 for `no logarithm` would flatten the plot and its axis."""
    squared, curves = read_postprocess(shared_data(REAL)).guinier
    assert squared.size == curves['original'].size
    assert np.isnan(curves['FSC weighted'][-1])
    assert np.nanmin(curves['FSC weighted']) > -40
    assert 'fit' not in curves


def unmasked_star():
    general = {'FinalResolution': '80.000000', 'BfactorUsedForSharpening': '-500.00000',
               'UnfilteredMapHalf1': 'a_half1.mrc', 'UnfilteredMapHalf2': 'a_half2.mrc'}
    shells = [(0, '0.001001', '999.000000', '1.000000'), (1, '0.002083', '480.000000', '0.995454'),
              (2, '0.004167', '240.000000', '0.100000')]
    return list_block('general', general) + loop_block(
        'fsc', ['SpectralIndex', 'Resolution', 'AngstromResolution', 'FourierShellCorrelationUnmaskedMaps'], shells)


def test_without_a_mask_there_is_one_curve(tmp_path):
    """Post-processing without mask writes one curve and no Guinier table: a result, not an error."""
    path = tmp_path / 'postprocess.star'
    path.write_text(unmasked_star())
    found = read_postprocess(path)
    assert (found.b_factor, found.mask, found.mask_fraction, found.guinier) == (-500., '', None, None)
    frequency, values = found.fsc_curves()[UNMASKED]
    assert list(found.fsc) == [UNMASKED]
    assert frequency == pytest.approx([0, 1 / 480, 1 / 240])
    assert values[1] == 0.995454


def test_another_star_file_is_refused(tmp_path):
    """A particles file given by mistake must be named, with what is missing in it."""
    path = tmp_path / 'postprocess.star'
    path.write_text(loop_block('particles', ['AngleRot'], [(1,)]))
    with pytest.raises(StarError, match=r'postprocess\.star.*general'):
        read_postprocess(path)
    text = unmasked_star()
    path.write_text(text.replace('_rlnFinalResolution', '_rlnSomethingElse'))
    with pytest.raises(StarError, match='rlnFinalResolution'):
        read_postprocess(path)
    path.write_text(text[:-30])
    with pytest.raises(StarError, match='postprocess.star'):
        read_postprocess(path)


def test_the_fitted_line(tmp_path):
    """RELION sharpens with four slopes; where it fitted nothing it writes zeros, which are no B-factor of 0."""
    def made(slope):
        path = tmp_path / 'postprocess.star'
        path.write_text(list_block('general', {'FinalResolution': '7.0', 'FittedSlopeGuinierPlot': slope,
                                               'FittedInterceptGuinierPlot': '-7.5', 'CorrelationFitGuinierPlot': '0.98'})
                        + loop_block('fsc', ['SpectralIndex', 'AngstromResolution'], [(0, 999), (1, 100.), (2, 50.)]))
        return read_postprocess(path).fit

    fit = made('-20.5')
    assert (fit.slope, fit.intercept, fit.correlation, fit.b_factor) == (-20.5, -7.5, 0.98, -82.)
    assert made('0.000000') is None and read_postprocess(shared_data(REAL)).fit is None
