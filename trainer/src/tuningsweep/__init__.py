"""What users import in their own training code: `report` hands over metrics, `step` times steps.

Inside a trial both talk to the trial's supervisor; anywhere else the code runs unchanged, and `report` prints JSON lines.
"""

from tuningsweep.reporting import report
from tuningsweep.steps import step

__all__ = ["report", "step"]
