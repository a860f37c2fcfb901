"""The rules of the platform, one package per service. Standard library only."""
