"""What every other room stands on: errors, files, threads, checked integers."""
