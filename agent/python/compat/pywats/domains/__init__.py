"""The domains of the library; here there is only that of reports."""
