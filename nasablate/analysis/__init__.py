"""From records to numbers with intervals: pure functions, no files, no database."""
