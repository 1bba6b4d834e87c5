"""Human-motion synthesis that corrects itself with physics."""

__version__ = "0.1.0"
