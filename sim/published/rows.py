"""All rows, in the order of the page."""

from sim.published import board_rows, chip_rows, network_rows
from sim.published.row import Row

ROWS: tuple[Row, ...] = (*board_rows.ROWS, *chip_rows.ROWS, *network_rows.ROWS)
