"""What people run: named experiments, their store and the ``cem`` command."""

TOLD = (ValueError, TypeError, OSError, RuntimeError, ImportError, MemoryError)  # in one line
