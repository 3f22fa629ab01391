"""How fast a run is, beside what else reads digits on this machine: `anna bench`."""
