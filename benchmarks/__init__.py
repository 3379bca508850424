"""How much nextapi costs: see README.md."""
