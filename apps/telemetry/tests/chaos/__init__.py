"""The pipeline under fire: its own servers, its own processors, records of every kind, and a verdict."""
