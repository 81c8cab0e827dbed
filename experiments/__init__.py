"""What people run: named experiments, their store and the ``cem`` command."""
