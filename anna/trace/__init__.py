"""Traces for common viewers: Perfetto for time lines, VCD for waveforms."""
