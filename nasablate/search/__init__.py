"""Propose genomes, run them, and keep the study: samplers, rungs, runners and their driver."""
