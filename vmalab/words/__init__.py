"""What is said: the catalogue of all texts, and who chooses from it for a step, a call, a refusal, a price."""
