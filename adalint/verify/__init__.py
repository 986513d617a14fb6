"""What a rewrite does to training: both sides are traced, run in tensors where that can be had, and compared.

What the text does not tell is assumed, and every assumption is named: that the allocator is called as PEFT documents
it, how many modules are adapted, and stand-ins for values that are only known when the program runs.
"""

from __future__ import annotations

from adalint.verify.proof import CLAIMS, Bench, Engine, Evidence, Outcome, Proof, Verdict
from adalint.verify.prove import MAX_TRIALS, objection_of, prove, verify_source
from adalint.verify.trials import MODULES, changed_fields

__all__ = [
    "CLAIMS",
    "MAX_TRIALS",
    "MODULES",
    "Bench",
    "Engine",
    "Evidence",
    "Outcome",
    "Proof",
    "Verdict",
    "changed_fields",
    "objection_of",
    "prove",
    "reference_bench",
    "verify_source",
]


def reference_bench(steps: int | None = None) -> Bench | None:
    """Give the reference adapter to run plans on, None where NumPy is missing.

    At most `steps` optimizer steps are run, longer runs are divided.
    """
    try:
        import numpy  # noqa: F401, ICN001
    except ImportError:
        return None
    from adalint.verify.tensors import on_reference

    return on_reference(steps)
