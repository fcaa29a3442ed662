"""What others say of the output: schemas and linters that know nothing of dashgen."""
