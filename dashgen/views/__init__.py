"""How results are shown: to people on a console, to machines as JSON, SARIF and annotations. Views decide nothing."""
