"""What the instrument adds to a scan, and its removal: drift, shading, rings, noise."""
