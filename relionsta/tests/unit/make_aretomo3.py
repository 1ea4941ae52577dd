"""Writes a tilt series as AreTomo 1/2 or AreTomo3 leave it, from known numbers, for the tests of the readers."""
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import mrcfile
import numpy as np

VERSIONS = ('aretomo2', 'before 2.0.7', 'since 2.0.7')


@dataclass
class MadeSeries:
    """The known numbers. Angles in deg, shifts in px, defocus in Angstrom, phase shift in radian, dose in e/A2."""

    name: str = 'TS_01'
    size: Tuple[int, int] = (64, 48)
    nominal: np.ndarray = field(default_factory=lambda: np.arange(-15., 16., 3.))
    darks: Tuple[int, ...] = (0, 9)
    alpha: float = 4.2
    rot: float = 85.25
    pixel: float = 2.0
    binning: int = 4
    thickness: int = 32
    flip_vol: int = 1
    df_hand: Optional[int] = 1
    dose_column: bool = True
    patches: int = 0
    halves: bool = False
    volume: bool = True
    seed: int = 7
    session: Dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        n = len(self.nominal)
        self.shifts = np.round(random.normal(0, 20, (n, 2)), 3)
        self.rots = np.round(self.rot + random.normal(0, 0.05, n), 4)
        self.defocus = np.round(random.uniform(20000, 30000, (n, 1)) + np.array([[400., -400.]]), 2)
        self.azimuth = np.round(random.uniform(-90, 90, n), 2)
        self.phase = np.round(random.uniform(0, 1.5, n), 4)
        self.score = np.round(random.uniform(0.05, 0.3, n), 4)
        self.resolution = np.round(random.uniform(6, 20, n), 4)
        self.dose = np.round(random.uniform(2.5, 3.5, n), 2)
        # dose-symmetric: 0, +, -, -, +, +, …, so neither stack order nor its reverse
        by_tilt = np.lexsort((self.nominal, np.abs(self.nominal)))
        self.acquisition = np.empty(n, dtype=int)
        self.acquisition[by_tilt] = np.arange(1, n + 1)

    @property
    def kept(self) -> List[int]:
        return [index for index in range(len(self.nominal)) if index not in self.darks]

    def write(self, folder: Path, version: str = VERSIONS[-1]) -> Path:
        """Write all files of the series; the folder is made. The .mrc files hold zeros."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / (self.name + '.aln')).write_text(self.aln(version))
        (folder / (self.name + '_TLT.txt')).write_text(self.tlt())
        (folder / (self.name + '_CTF.txt')).write_text(self.ctf())
        (folder / 'AreTomo3_Session.json').write_text(json.dumps(self.session_json(), indent=5))
        ends = [''] + (['_EVN', '_ODD'] if self.halves else [])
        for end in ends:
            write_mrc(folder / (self.name + end + '.mrc'), self.size + (len(self.nominal),), self.pixel)
            if self.volume:
                write_mrc(folder / (self.name + end + '_Vol.mrc'), self.volume_size(), self.pixel * self.binning)
        return folder

    def volume_size(self) -> Tuple[int, int, int]:
        x, y = self.size[::-1] if abs(np.sin(np.radians(self.rot))) > 0.707 else self.size
        x, y, z = (int(n / self.binning) // 2 * 2 for n in (x, y, self.thickness))
        return (x, z, y) if self.flip_vol == 0 else (x, y, z)

    def aln(self, version: str) -> str:
        dark_lines = []
        for dark in self.darks:
            section = {'aretomo2': dark, 'before 2.0.7': 0}.get(version, dark + 1)
            dark_lines.append('# DarkFrame =  %4d %4d %8.2f' % (dark, section, self.nominal[dark]))
        offsets = ['# AlphaOffset = %8.2f' % self.alpha, '# BetaOffset = %8.2f' % 0.5]
        lines = ['# AreTomo Alignment / Priims bprmMn', '# RawSize = %d %d %d' % (self.size + (len(self.nominal),)),
                 '# NumPatches = %d' % self.patches, *dark_lines,
                 *(offsets if version != 'aretomo2' or self.alpha else []),
                 *(['# Thickness = %d' % self.thickness] if version == 'since 2.0.7' else []),
                 '# SEC     ROT         GMAG       TX          TY      SMEAN     SFIT    SCALE     BASE     TILT']
        for row, index in enumerate(self.kept):
            section = {'aretomo2': index, 'before 2.0.7': row}.get(version, index + 1)
            lines.append('%5d  %9.4f  %9.5f  %9.3f  %9.3f  %7.2f  %7.2f  %7.2f  %7.2f  %8.2f' % (
                section, self.rots[index], 1, *self.shifts[index], 1, 1, 1, 0, self.nominal[index] + self.alpha))
        if self.patches:
            lines.append('# Local Alignment')
            lines += ['%4d %3d %8.2f  %8.2f  %8.2f  %8.2f  %4.1f' % (row, patch, 1, 2, 3, 4, 1)
                      for row in range(len(self.kept)) for patch in range(self.patches)]
        return '\n'.join(lines) + '\n'

    def tlt(self) -> str:
        lines = ['%8.2f  %4d' % row for row in zip(self.nominal, self.acquisition)]
        if self.dose_column:
            lines = ['%s  %8.2f' % row for row in zip(lines, self.dose)]
        return '\n'.join(lines) + '\n'

    def ctf(self) -> str:
        lines = ['# Columns: #1 micrograph number; #2 - defocus 1 [A]; #3 - defocus 2; #4 - azimuth of astigmatism; …']
        for i in range(len(self.nominal)):
            row = '%4d   %8.2f  %8.2f  %8.2f  %8.4f  %8.4f  %8.4f' % (
                i + 1, *self.defocus[i], self.azimuth[i], self.phase[i], self.score[i], self.resolution[i])
            lines.append(row if self.df_hand is None else row + '  %3d' % self.df_hand)
        return '\n'.join(lines) + '\n'

    def session_json(self) -> Dict[str, Any]:
        parameters = {'PixSize': self.pixel / 2, 'kV': 300, 'Cs': 2.7, 'McBin': 2.0, 'VolZ': self.thickness,
                      'AtBin': [float(self.binning), 0.0, 0.0], 'TiltAxis': [self.rot, 1.0], 'FlipVol': self.flip_vol,
                      'AmpContrast': 0.07, 'OutImod': 0}
        parameters.update(self.session)
        return {'software': {'name': 'AreTomo3', 'version': '2.2.2'}, 'input': {}, 'output': {},
                'parameters': {key: value for key, value in parameters.items() if value is not None}, 'Time': 'today'}


def write_mrc(path: Path, size: Tuple[int, int, int], pixel: float) -> None:
    """An MRC file of zeros with nx, ny, nz = size."""
    with mrcfile.new(str(path), overwrite=True) as mrc:
        mrc.set_data(np.zeros(size[::-1], dtype=np.float32))
        mrc.voxel_size = pixel
