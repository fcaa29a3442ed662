"""What makes the generated pages of this folder."""
