"""What a template can name: helpers that build expressions, links, panels and test traffic."""
