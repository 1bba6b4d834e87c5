"""The papers' experiments, each in one file of `papers/`, and the page that shows their results."""
