"""What runs found, on one page: a report that stands alone, with its figures and samples."""
