"""When things happen: timing rules, the timeline of a program, and the rules of a legal one."""
