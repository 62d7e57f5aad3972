"""Rule profiles: the penalty tables and settings of an event as a file (rulebook §0.1, §11)."""
