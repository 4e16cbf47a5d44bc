"""The report of a sweep: one self-contained HTML page, and PNGs of its figures. Entry point: `report.write.write_report`."""
