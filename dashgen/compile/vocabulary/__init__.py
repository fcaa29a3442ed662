"""The vocabulary of templates: what builds expressions, links, panels and test traffic."""
