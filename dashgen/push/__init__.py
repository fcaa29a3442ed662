"""Plan → calls: brings a remote to the wanted state. A folder is a remote like any other."""
