"""The images that a job of RELION has made, one or two files for each particle: all of them must be there and whole."""
import pandas as pd

from ..results.images import WEIGHTS, first_damaged_image, first_wrong_image
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
        return super()._missingResult() or self._look(first_wrong_image)

    def _awaitResults(self):
        super()._awaitResults()
        problem = self._look(self._firstDamaged)
        if problem:
            raise ValueError(problem)

    def _firstDamaged(self, rows, _box, is2D):
        return first_damaged_image(rows, is2D, self._headersAreTrue)

    def _look(self, look):
        """What is wrong with the images, as a message; '' for nothing. look(rows, box, is2D): says it."""
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
        return look(rows, box, bool(flag))
