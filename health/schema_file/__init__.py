"""The schema file, compared with what the migrations make."""
