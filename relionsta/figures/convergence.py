"""The convergence board: how a run of relion_refine went from iteration to iteration, and what that means."""
from typing import Callable, List, Optional, Sequence, Tuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..jobs import files
from ..results.course import Course
from ..results.verdict import DONE, STABLE, Verdict, judge
from .style import COLORS, GREY, caption, line_styles, new_figure, styled
from .words import words, words_height

HOW_TO_READ = ('Finished when resolution and changes stay the same from one iteration to the next. Changes well below '
               'the step of the search, or below the estimated accuracy, are noise.')
HOW_TO_READ_CLASSES = ('Use the iteration from which few particles change class and no share moves; go on with the classes '
                       'whose maps look right. Changes of pose below the step of the search are noise.')
SHARE_LABEL = 'Particles (%)'
#: More classes than this have no legend: nobody could tell the lines.
MOST_NAMES = 20
_ROWS = 10  # of a legend, in one column
_WIDTH, _PANELS_HEIGHT, _NARROW = 12.4, 5.7, 9.4

Panel = Callable[[Axes, Course], None]


@styled
def convergence_figure(course: Course, verdicts: Optional[Sequence[Verdict]] = None, title: str = '') -> Figure:
    """Resolution, changes, accuracies, certainty and classes against iteration, under what they mean.

    verdicts: those of `results.verdict.judge` by default. The panels depend on the job: changes of pose only where poses
    were searched, shares and changes of class only where there are several classes.
    """
    found = judge(course) if verdicts is None else list(verdicts)
    panels = _panels(course)
    columns = (len(panels) + 1) // 2
    width = _WIDTH if columns > 2 else _NARROW
    head = words_height(found, width)
    figure = new_figure(width, _PANELS_HEIGHT + head)
    grid = figure.add_gridspec(3, columns, height_ratios=[head, _PANELS_HEIGHT / 2, _PANELS_HEIGHT / 2])
    first: Optional[Axes] = None
    for place, draw in enumerate(panels):
        axes = figure.add_subplot(grid[1 + place // columns, place % columns], sharex=first)
        first = first or axes
        draw(axes, course)
        _mark_use(axes, found)
        axes.set_xlabel('Iteration')
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    words(figure, grid[0, :], found)
    figure.suptitle(title or 'Convergence', x=0.012, ha='left', fontsize=12, fontweight='bold')
    caption(figure, HOW_TO_READ_CLASSES if course.has_classes else HOW_TO_READ)
    return figure


def _panels(course: Course) -> List[Panel]:
    poses: List[Panel] = [_rotations, _translations] if course.aligned else []
    if course.has_classes:
        return [_resolution, _shares, _changed] + poses + [_certainty]
    return [_resolution, _certainty] + poses


def _mark_use(axes: Axes, verdicts: Sequence[Verdict]) -> None:
    """The iteration from which on the run can be used."""
    use = next((one.iteration for one in verdicts if one.level == DONE), None)
    if use is not None:
        axes.axvline(use, color=COLORS[2], linewidth=6, alpha=0.2, label='_use')


def _name(course: Course, number: int) -> str:
    return '%s %d' % ('body' if course.job_type == files.MULTIBODY else 'class', number)


def _resolution(axes: Axes, course: Course) -> None:
    table, numbers = course.table, course.references
    if len(numbers) > 1:
        for number, look in zip(numbers, line_styles(len(numbers))):
            axes.plot(table.index, table['resolution_%d' % number], linewidth=0.9,
                      label=('_' if course.has_classes else '') + _name(course, number), **look)
    axes.plot(table.index, table['resolution'], marker='o', markersize=4, color='black', label='of the run')
    for value, name, dashes in ((course.final, 'final', '--'), (course.limit, 'E-step limit', '-.'),
                                (course.nyquist, 'Nyquist', ':')):
        if value is not None:
            axes.axhline(value, color=GREY, linewidth=1.2, linestyle=dashes, label='%s %.4g Å' % (name, value))
    _from_zero(axes)
    axes.set_title('Resolution' if not course.has_classes else 'Resolution (thin: of each class)')
    axes.set_ylabel('Resolution (Å)')
    axes.legend(loc='best', fontsize=8)


def _from_zero(axes: Axes) -> None:
    """From 0, with room for the marks above."""
    axes.set_ylim(0, 1.06 * axes.dataLim.ymax if axes.dataLim.ymax > 0 else 1.)


def _rotations(axes: Axes, course: Course) -> None:
    _lines(axes, course, 'Rotations', 'Angle (degrees)',
           (('change_rotations', 'mean change'), ('accuracy_rotations', 'estimated accuracy'),
            ('angular_step', 'step of the search')))


def _translations(axes: Axes, course: Course) -> None:
    _lines(axes, course, 'Translations', 'Distance (Å)',
           (('change_translations', 'mean change'), ('accuracy_translations', 'estimated accuracy'),
            ('offset_step', 'step of the search')))


def _lines(axes: Axes, course: Course, title: str, label: str, columns: Sequence[Tuple[str, str]]) -> None:
    for (column, text), look in zip(columns, line_styles(len(columns))):
        values = course.table[column]
        if values.notna().any():
            # The step is a setting, not a measurement: no marks
            marker = '' if column.endswith('_step') else 'o'
            axes.plot(course.table.index, values, label=text, marker=marker, markersize=4, **look)
    _from_zero(axes)
    axes.set_title(title)
    axes.set_ylabel(label)
    axes.legend(loc='best', fontsize=8)


def _certainty(axes: Axes, course: Course) -> None:
    axes.plot(course.table.index, course.table['pmax'], marker='o', markersize=4, **line_styles(1)[0])
    axes.set_ylim(0, 1.05)
    axes.set_title('Certainty of pose and class' if course.has_classes else 'Certainty of the poses')
    axes.set_ylabel('Average Pmax (0 to 1)')


def _shares(axes: Axes, course: Course) -> None:
    numbers = course.references
    shares = 100 * course.table[['distribution_%d' % number for number in numbers]].to_numpy(dtype=float)
    for position, look in enumerate(line_styles(len(numbers))):
        axes.plot(course.table.index, shares[:, position], label=_name(course, numbers[position]), **look)
    axes.set_ylim(0, 1.06 * float(np.nanmax(shares)))
    axes.set_title('Share of each class')
    axes.set_ylabel(SHARE_LABEL)
    if len(numbers) <= MOST_NAMES:
        axes.legend(loc='upper left', bbox_to_anchor=(1.01, 1.), borderaxespad=0., fontsize=8,
                    ncols=1 + (len(numbers) - 1) // _ROWS)


def _changed(axes: Axes, course: Course) -> None:
    axes.plot(course.table.index, 100 * course.table['change_classes'], marker='o', markersize=4, color=COLORS[0],
              label='changed class')
    axes.axhline(100 * STABLE, color=GREY, linewidth=1.2, linestyle='--', label='stable below %.0f %%' % (100 * STABLE))
    _from_zero(axes)
    axes.set_title('Changes of class')
    axes.set_ylabel(SHARE_LABEL)
    axes.legend(loc='best', fontsize=8)
