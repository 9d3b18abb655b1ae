"""Acts: folders, events, index, processes, git. Each module stands behind one port of `ports`."""
