"""What happened when, for the viewers that people know: Perfetto for time lines, VCD for wave forms."""
