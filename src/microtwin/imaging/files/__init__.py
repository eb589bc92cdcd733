"""Volumes in files: formats, axis orders, voxel sizes, and reading them slab by slab."""
