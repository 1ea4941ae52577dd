"""The defocus hand (rlnTomoHand) that fits an AreTomo3 alignment."""
from typing import Optional, Tuple

_NEAR_DEG = 20.


def suggest_hand(df_hand: Optional[int], rot: float, tilt_axis: Optional[Tuple[float, float]]) -> Tuple[int, str, bool]:
    """rlnTomoHand for a series: (hand, reason, doubt).

    df_hand: column 8 of _CTF.txt, 1 or -1, None where there is none. rot: deg, tilt axis in the .aln.
    tilt_axis: deg and flag that AreTomo3 was given, None where unknown.

    AreTomo3 (2.0.5 and later) writes the hand that it found on the axis it was given to _CTF.txt; if that is -1 it
    turns the axis in the .aln by 180 deg, so that the .aln always has hand 1, which is -1 in RELION. Only with a flag
    below 0 it leaves the axis: then hand -1 stays, which is 1 in RELION. `doubt` is True where the files do not agree
    with either case.
    """
    if df_hand is None:
        return -1, 'the default; the CTF table does not give a hand.', False
    if df_hand == 1:
        return -1, 'AreTomo3 found hand 1, which is -1 in RELION.', False
    if tilt_axis is None:
        return -1, ('the default; AreTomo3 found hand -1, but the axis that it was given is unknown, so it cannot be '
                    'told whether it turned the axis.'), True
    given, flag = tilt_axis
    turned = abs((rot - given + 180.) % 360. - 180.)
    axes = 'given %.1f, in the .aln %.1f deg' % (given, rot)
    if turned >= 180. - _NEAR_DEG:
        return -1, 'AreTomo3 found hand -1 and turned the tilt axis by 180 deg (%s).' % axes, False
    if turned <= _NEAR_DEG and flag < 0:
        return 1, 'AreTomo3 found hand -1 and was told to leave the tilt axis (%s).' % axes, False
    return -1, ('the default; AreTomo3 found hand -1, but the tilt axis was not turned by 180 deg (%s).' % axes), True
