"""The normal and Student's t distribution, by hand."""

import math
from functools import lru_cache

TINY = 1e-300
NEARLY_NORMAL = 1e5


def normal_quantile(p):
    """The z below which a standard normal falls with chance p, by bisection."""
    low, high = -40.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        if 0.5 * math.erfc(-middle / math.sqrt(2)) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(a, b, x):
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # The continued fraction converges quickly below the mean; above it the other tail is asked.
    if x < (a + 1) / (a + b + 2):
        return front * beta_fraction(a, b, x) / a
    return 1 - front * beta_fraction(b, a, 1 - x) / b


def beta_fraction(a, b, x):
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > TINY else TINY)
    value = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + step * d
            d = 1 / (d if abs(d) > TINY else TINY)
            c = 1 + step / c
            c = c if abs(c) > TINY else TINY
            value *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return value


def t_two_sided(t, freedom):
    """The chance of a Student's t at least this far from zero, on either side."""
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


@lru_cache(maxsize=None)
def t_quantile(p, freedom):
    """The t below which Student's t with these degrees of freedom falls with chance p > 0.5, by bisection."""
    if freedom > NEARLY_NORMAL:
        # So near to the normal one that the first term of the difference is all of it, and the beta function has
        # lost the digits that it would take.
        z = normal_quantile(p)
        return z + (z**3 + z) / (4 * freedom)
    beyond = 2 * (1 - p)
    low, high = 0.0, 1.0
    while t_two_sided(high, freedom) > beyond:
        low, high = high, high * 2
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if t_two_sided(middle, freedom) > beyond:
            low = middle
        else:
            high = middle
    return (low + high) / 2
