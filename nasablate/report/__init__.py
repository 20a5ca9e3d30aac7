"""What a study came to, for readers: one HTML file, CSV and text, from its database alone."""
