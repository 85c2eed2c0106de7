"""What authors of content run: checks, proofs, mutants, evidence, spelling and scaffolds."""
