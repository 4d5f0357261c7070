"""Reports for staff: figures of a period with their definitions, as a chart, a table and a CSV file."""
