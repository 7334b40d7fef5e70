"""The domain: pure values and judgements. No I/O, no pytest, and nothing of the other packages."""
