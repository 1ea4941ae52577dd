"""Run all scenes and write the table of docs/conventions.md: python -m relionsta.tests.scenes"""
import os
import shutil
import tempfile
from pathlib import Path

from relionsta.demo.scipion_home import prepare_scipion


def main() -> None:
    """Takes about two minutes on two cores; the document is written at the end."""
    top = Path(tempfile.mkdtemp(prefix='relionsta-scenes-'))
    os.environ['MPLBACKEND'] = 'Agg'
    prepare_scipion(top / 'scipion')
    # Only now: Scipion looks for its home when it is imported.
    from .average import solve
    from .scene import SCENES
    from .table import row, write_into_document
    from .truth import make_truth, project
    rows = []
    for number, scene in enumerate(SCENES):
        truth, images, work = make_truth(scene), top / ('images%d' % number), top / ('work%d' % number)
        images.mkdir()
        work.mkdir()
        project(truth, images)
        os.chdir(str(work))
        rows.append(row(scene.name, solve(truth, images)))
        print(rows[-1], end='', flush=True)
        shutil.rmtree(str(images))
    write_into_document(rows)
    os.chdir(str(top.parent))
    shutil.rmtree(str(top))


if __name__ == '__main__':
    main()
