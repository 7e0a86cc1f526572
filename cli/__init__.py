"""The kerasdoctor command. Importing this loads nothing heavy; each command imports what it needs when it runs."""

from .app import main

__all__ = ["main"]
