"""One file per product that can hold what dashgen makes."""
