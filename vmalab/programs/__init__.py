"""What is run: programs and scenario files, single calls as JSON and as text, and where the data files lie."""
