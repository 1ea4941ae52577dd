"""Job folders as relion_refine leaves them, small: same names, tables, spacing and file ends as RELION 5.1."""
import re
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence

import mrcfile
import numpy as np

from relionsta.jobs import files

BOX, PIXEL = 16, 10.
PARTICLES = 6
SHELLS = BOX // 2 + 1


def list_block(name: str, values: Mapping[str, object]) -> str:
    lines = ''.join('_rln%-40s %12s\n' % item for item in values.items())
    return '\n# version 50001\n\ndata_%s\n\n%s \n' % (name, lines)


def loop_block(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    labels = ''.join('_rln%s #%d \n' % (label, number) for number, label in enumerate(columns, start=1))
    lines = ''.join(' '.join('%12s' % value for value in row) + ' \n' for row in rows)
    return '\n# version 50001\n\ndata_%s\n\nloop_ \n%s%s \n' % (name, labels, lines)


def ssnr_curve(resolution_shell: int) -> np.ndarray:
    """SSNR that is 1 or more up to this shell and less beyond it."""
    shells = np.arange(SHELLS)
    return np.where(shells <= resolution_shell, 10. ** (resolution_shell - shells + 1), 0.1 / (shells + 1))


def model_star(names: Sequence[str], fscs: Optional[Sequence[np.ndarray]] = None,
               resolutions: Optional[Sequence[object]] = None, distributions: Optional[Sequence[float]] = None,
               shells: Sequence[int] = (), accuracies: Optional[Sequence[object]] = None) -> str:
    """A model.star of len(names) classes."""
    number = len(names)
    shells = list(shells) or [4] * number
    general = {'ReferenceDimensionality': 3, 'OriginalImageSize': BOX, 'CurrentResolution': '%.6f' % (BOX * PIXEL / 4),
               'PixelSize': '%.6f' % PIXEL, 'NrClasses': number, 'NrBodies': 1, 'NrOpticsGroups': 1,
               'Tau2FudgeFactor': '1.000000', 'SigmaOffsetsAngst': '3.000000', 'LogLikelihood': '1.14e+06',
               'AveragePmax': '0.250000'}
    rows = [(name, (distributions or [1. / number] * number)[index],
             (accuracies or ['2.5'] * number)[index], (accuracies or ['3.5'] * number)[index],
             (resolutions or [BOX * PIXEL / shells[index]] * number)[index], '0.900000')
            for index, name in enumerate(names)]
    text = list_block('model_general', general) + loop_block(
        'model_classes', ['ReferenceImage', 'ClassDistribution', 'AccuracyRotations', 'AccuracyTranslationsAngst',
                          'EstimatedResolution', 'OverallFourierCompleteness'], rows)
    for index in range(number):
        fsc = np.zeros(SHELLS) if fscs is None else fscs[index]
        table = [(shell, '%.6f' % (shell / (BOX * PIXEL)), '%.6f' % (BOX * PIXEL / shell if shell else 999),
                  '%.6f' % ssnr, '%.6f' % value, '1.000000')
                 for shell, (ssnr, value) in enumerate(zip(ssnr_curve(shells[index]), fsc))]
        text += loop_block('model_class_%d' % (index + 1), [
            'SpectralIndex', 'Resolution', 'AngstromResolution', 'SsnrMap', 'GoldStandardFsc', 'FourierCompleteness'],
            table)
    text += loop_block('model_groups', ['GroupNumber', 'GroupName', 'GroupNrParticles'], [(1, 'TS_01', PARTICLES)])
    text += loop_block('model_optics_group_1', ['SpectralIndex', 'Sigma2Noise'],
                       [(shell, '1e-3') for shell in range(SHELLS)])
    for index in range(number):
        text += loop_block('model_pdf_orient_class_%d' % (index + 1), ['OrientationDistribution'],
                           [('%.6f' % (1 / 12),)] * 12)
    return text


def as_bodies(model: str, number: int) -> str:
    """The same model.star, of so many bodies of one class."""
    for old, new in (('data_model_classes', 'data_model_bodies'), ('data_model_class_', 'data_model_body_'),
                     ('data_model_pdf_orient_class_', 'data_model_pdf_orient_body_')):
        model = model.replace(old, new)
    return re.sub(r'(_rlnNrClasses\s+)\d+', r'\g<1>1', re.sub(r'(_rlnNrBodies\s+)\d+', r'\g<1>%d' % number, model))


def optimiser_star(iteration: int, models: Sequence[str], converged: bool = False, total: int = 25) -> str:
    values: Dict[str, object] = {'OutputRootName': 'job001/run', 'ModelStarFile': models[0]}
    if len(models) > 1:
        values['ModelStarFile2'] = models[1]
    values.update({'CurrentIteration': iteration, 'NumberOfIterations': total, 'AdaptiveOversampleOrder': 1,
                   'NumberOfIterWithoutResolutionGain': 2, 'BestResolutionThusFar': '0.025000',
                   'OverallAccuracyRotations': '2.500000' if iteration > 1 else '999.000000',
                   'OverallAccuracyTranslationsAngst': '3.500000' if iteration > 1 else '999.000000',
                   'ChangesOptimalOrientations': '%.6f' % (8. / max(iteration, 1)),
                   'ChangesOptimalOffsets': '%.6f' % (12. / max(iteration, 1)),
                   'ChangesOptimalClasses': '0.125000', 'HasConverged': int(converged)})
    return '# RELION optimiser; version 5.1.0\n# --o job001/run \n' + list_block('optimiser_general', values)


def sampling_star() -> str:
    general = {'Is3DSampling': 1, 'HealpixOrder': 4, 'SymmetryGroup': 'C1', 'PsiStep': '3.750000',
               'OffsetRange': '50.000000', 'OffsetStep': '20.000000'}
    return list_block('sampling_general', general) + loop_block(
        'sampling_directions', ['AngleRot', 'AngleTilt'], [('45.0', '%.1f' % tilt) for tilt in range(12)])


def data_star(bodies: int = 0) -> str:
    """The particles, and where each body of them is."""
    text = (list_block('general', {'TomoSubTomosAre2DStacks': 1})
            + loop_block('optics', ['OpticsGroup', 'ImageSize', 'ImagePixelSize'], [(1, BOX, PIXEL)])
            + loop_block('particles', ['TomoParticleName', 'AngleRot', 'ClassNumber'],
                         [('TS_01/%d' % number, '%.6f' % (17.3 * number), 1) for number in range(PARTICLES)]))
    for body in range(1, bodies + 1):
        text += loop_block('images_body_%d' % body, ['AngleRot', 'NormCorrection'],
                           [('%.6f' % (3.1 * number), '1.000000') for number in range(PARTICLES)])
    return text


def write_map(path: Path, seed: int = 0, box: int = BOX, pixel: float = PIXEL) -> None:
    data = np.random.default_rng(seed).normal(size=(box, box, box)).astype(np.float32)
    with mrcfile.new(path, data=data, overwrite=True) as mrc:
        mrc.voxel_size = pixel


def write_iteration(folder: Path, job_type: str, iteration: int, classes: int = 1) -> List[Path]:
    """Write one complete iteration; returns its files. Class maps are named as in the table of files."""
    names = files.iteration_files(job_type, files.RUN, iteration, nr_classes=classes)
    models = [name for role, name in sorted(names.items()) if role.endswith('model')]
    maps = [name for name in sorted(names.values()) if name.endswith('.mrc')]
    data = data_star(classes if job_type == files.MULTIBODY else 0)
    texts = {'optimiser': optimiser_star(iteration, models), 'data': data, 'sampling': sampling_star(),
             'optimisation_set': list_block('', {'TomoParticlesFile': 'job001/run_data.star',
                                                 'TomoTrajectoriesFile': '""'})}
    folder.mkdir(parents=True, exist_ok=True)
    for role, name in names.items():
        if role.endswith('model'):
            refine = job_type in (files.REFINE3D, files.MULTIBODY)
            fsc = np.linspace(1, 0, SHELLS) if refine else np.zeros(SHELLS)
            own = [one for one in maps if 'moment' not in one and (not refine or role.split('_')[0] in one)]
            text = model_star(own, [fsc] * len(own))
            (folder / name).write_text(as_bodies(text, len(own)) if job_type == files.MULTIBODY else text)
        elif name.endswith('.mrc'):
            write_map(folder / name, seed=iteration)
        else:
            (folder / name).write_text(texts[role])
    return [folder / name for name in names.values()]


def write_final(folder: Path, job_type: str = files.REFINE3D, bodies: int = 1) -> List[Path]:
    """Write the files of a converged auto-refinement, also one of bodies; returns them."""
    is_multi = job_type == files.MULTIBODY
    names = files.multibody_final_files(files.RUN, bodies) if is_multi else files.refine3d_final_files(files.RUN)
    maps = [names[role] for role in (files.body_roles(bodies) if is_multi else ['map'])]
    model = model_star(maps, [np.linspace(1, 0, SHELLS)] * len(maps))
    texts = {'optimiser': optimiser_star(-1, [names['model']], converged=True, total=999),
             'data': data_star(bodies if is_multi else 0),
             'sampling': sampling_star(), 'model': as_bodies(model, bodies) if is_multi else model,
             'optimisation_set': list_block('', {'TomoParticlesFile': 'job001/run_data.star'})}
    for role, name in names.items():
        if name.endswith('.mrc'):
            write_map(folder / name)
        else:
            (folder / name).write_text(texts[role])
    return [folder / name for name in names.values()]
