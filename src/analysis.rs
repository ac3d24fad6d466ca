//! Pure arithmetic on cells: rates, intervals, shares, comparisons. No I/O, no clock.
