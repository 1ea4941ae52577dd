"""Installation of relionsta: RELION-5 subtomogram averaging in Scipion."""
import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r"__version__ = '([^']+)'", (HERE / 'relionsta' / '__init__.py').read_text()).group(1)

setup(
    name='scipion-em-relionsta',
    version=VERSION,
    description='RELION-5 subtomogram averaging inside Scipion',
    long_description=(HERE / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='GPL-3.0-or-later',
    python_requires='>=3.8',
    packages=find_packages(),
    include_package_data=True,
    package_data={'relionsta': ['protocols.conf', 'relionsta_logo.png', 'templates/*.json.template']},
    install_requires=[
        'scipion-pyworkflow>=3.8',
        'scipion-em>=3.8',
        'scipion-em-tomo>=3.9',
        'mrcfile',
        'numpy',
        'pandas',
        'matplotlib',
        'scipy',
    ],
    extras_require={'dev': ['scipion-app', 'pytest', 'pytest-xdist', 'starfile>=0.5', 'ruff', 'mypy', 'pandas-stubs']},
    entry_points={'pyworkflow.plugin': 'relionsta = relionsta'},
    classifiers=[
        'Environment :: X11 Applications',
        'Intended Audience :: Science/Research',
        'License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Bio-Informatics',
    ],
)
