"""How the platform is: its components, their states, since when."""

from domain.status.model import Component, ComponentState, SystemStatus
from domain.status.service import Finding, HealthProbe, StatusBoard

__all__ = ["Component", "ComponentState", "Finding", "HealthProbe", "StatusBoard", "SystemStatus"]
