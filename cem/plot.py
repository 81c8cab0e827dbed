"""Pictures of a run. The only file of cem that imports matplotlib, inside the functions."""
