"""What several domains share."""

from .enums import CompOp

__all__ = ["CompOp"]
