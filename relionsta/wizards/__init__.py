"""Wands beside parameters of the forms: they work a value out from the inputs and say why."""
from .maps import StaMaskFilterWizard, StaMaskThresholdWizard, StaSharpeningWizard
from .refinement import (
    StaParallelWizard,
    StaSearchWizard,
    StaSuggestionWizard,
    StaTauWizard,
    StaUpstreamWizard,
)
from .scan import StaScanWizard
from .selection import StaBodiesWizard, StaClassesWizard, StaColumnsWizard
from .settings import StaJobStarWizard
from .sizes import (
    StaBoxSizeWizard,
    StaEstimationBoxWizard,
    StaParticleSizesWizard,
    StaPrecropWizard,
    StaReconstructionSizeWizard,
)

__all__ = ['StaBodiesWizard', 'StaBoxSizeWizard', 'StaClassesWizard', 'StaColumnsWizard', 'StaEstimationBoxWizard',
           'StaJobStarWizard', 'StaMaskFilterWizard', 'StaMaskThresholdWizard', 'StaParallelWizard',
           'StaParticleSizesWizard', 'StaPrecropWizard', 'StaReconstructionSizeWizard', 'StaScanWizard',
           'StaSearchWizard', 'StaSharpeningWizard', 'StaSuggestionWizard', 'StaTauWizard', 'StaUpstreamWizard']
