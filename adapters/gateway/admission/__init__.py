"""What a GraphQL document may ask for before anything of it runs: bounds, one walk, a cache."""

from adapters.gateway.admission.extension import admission_extension
from adapters.gateway.admission.limits import DocumentLimits

__all__ = ["DocumentLimits", "admission_extension"]
