"""Letters on paper: one page that every browser prints, and a PDF where the extra for it is installed."""
