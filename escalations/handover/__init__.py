"""Hand-over: what a centre's people leave open goes to the centre that covers, on a sheet (W3)."""
