"""Does it page when it should, and only then: outages, a perfect observer, and the generated rules side by side."""
