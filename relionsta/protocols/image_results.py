"""The images that a job of RELION has made, one or two files for each particle: all of them must be there and whole."""
import pandas as pd

from ..results.images import WEIGHTS, first_wrong_image
from ..star import StarError, read_star


class ImageResultsMixin:
    """Before the base class of a protocol whose particles get new images; `_getImagesStar` is the file that names them."""

    #: False for a program that writes images under the header of others
    _headersAreTrue = True

    def _getImagesStar(self):
        raise NotImplementedError

    def _getResultPaths(self):
        return super()._getResultPaths() + [self._getImagesStar()]

    def _missingResult(self):
        return super()._missingResult() or self._wrongImage()

    def _awaitResults(self):
        super()._awaitResults()
        problem = self._wrongImage(values=True)
        if problem:
            raise ValueError(problem)

    def _wrongImage(self, values=False):
        """The first image that is not as the STAR file says, as a message; '' for none."""
        star = self._getImagesStar()
        try:
            blocks = read_star(star, complete=True)
            rows = blocks.get('particles', pd.DataFrame())
            if not len(rows):
                return ''  # no particle is left, which is told elsewhere
            box = int(blocks['optics']['rlnImageSize'].iloc[0])
            flag = blocks.get('general', pd.DataFrame()).get('rlnTomoSubTomosAre2DStacks', pd.Series([0])).iloc[0]
        except StarError as error:
            return str(error)
        except (KeyError, ValueError) as error:
            return '%s does not say how large its images are (%s)' % (star, error)
        if not self._headersAreTrue:
            rows = rows.drop(columns=WEIGHTS, errors='ignore')  # those are not of this job either
        return first_wrong_image(rows, box, bool(flag), values, self._headersAreTrue)
