"""The price table that ships with the program: snapshot.json, made by `make prices`, and what reads it."""
