"""What happened: which scripts ran, and how far, judged by what the database would look like."""
