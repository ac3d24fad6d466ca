"""Checks the oracle's own variance: `python3 check_variance.py`.

Against the jackknife by brute force for prompts of any size, against the textbook's survey formula (Taylor linearised,
with replacement) for prompts of equal size, and for those against statsmodels' cluster-robust variance too, where that
is installed.
"""

import sys

sys.dont_write_bytecode = True

import math
import random
from fractions import Fraction

import figures
from quantiles import normal_quantile, t_quantile, t_two_sided

# Printed tables of Student's t, at seven digits.
TABLE = [
    (0.975, 1, 12.706205), (0.975, 2, 4.302653), (0.975, 5, 2.570582), (0.975, 19, 2.093024), (0.975, 100, 1.983972),
    (0.8, 2, 1.060660), (0.8, 5, 0.919544), (0.8, 19, 0.860951),
]


def close(one, other):
    return abs(one - other) <= 1e-9 * max(1.0, abs(one))


def jackknife(sums):
    """Leave one prompt out, literally, in exact numbers."""
    def ratio(of):
        return Fraction(sum(part for part, _ in of), sum(whole for _, whole in of))

    left = [ratio(sums[:k] + sums[k + 1 :]) for k in range(len(sums))]
    return float(Fraction(len(sums) - 1, len(sums)) * sum((ratio(sums) - one) ** 2 for one in left))


def taylor(sums):
    """A ratio estimator's variance in a survey of clusters (Cochran 1977, 6.4; Wolter 2007, 6.2)."""
    prompts = len(sums)
    whole = sum(whole for _, whole in sums)
    ratio = sum(part for part, _ in sums) / whole
    residuals = [part - ratio * whole for part, whole in sums]
    return prompts / (prompts - 1) * sum(one * one for one in residuals) / whole**2


def linearised(sums):
    """The form in which the program's own source states the variance."""
    prompts, whole = len(sums), sum(whole for _, whole in sums)
    ratio = sum(part for part, _ in sums) / whole
    parts = [((part - ratio * size) / (1 - size / whole)) ** 2 for part, size in sums]
    return (prompts - 1) / prompts * sum(parts) / whole**2


def clustered(sums, statsmodels):
    """statsmodels' variance of the mean of runs clustered by prompt."""
    runs = [(prompt, hit) for prompt, (part, whole) in enumerate(sums) for hit in [1.0] * part + [0.0] * (whole - part)]
    hits, ones = [hit for _, hit in runs], [1.0] * len(runs)
    clusters = {"cov_type": "cluster", "cov_kwds": {"groups": [prompt for prompt, _ in runs]}}
    fit = statsmodels.OLS(hits, ones).fit(**clusters)
    glm = statsmodels.GLM(hits, ones, family=statsmodels.families.Gaussian()).fit(**clusters)
    assert close(fit.bse[0] ** 2, glm.bse[0] ** 2), "OLS and GLM agree"
    # Its correction for few clusters is K / (K - 1) x (n - 1) / (n - p); p is 1 here, so that K / (K - 1) is left.
    return fit.bse[0] ** 2


def worlds(count):
    """Random prompts: of equal size, and of any."""
    dice = random.Random(7)
    for _ in range(count):
        prompts, size = dice.randint(2, 30), dice.randint(1, 40)
        yield True, [(dice.randint(0, size), size) for _ in range(prompts)]
        sizes = [dice.choice([1, dice.randint(1, 10), dice.randint(1, 300)]) for _ in range(prompts)]
        yield False, [(dice.randint(0, size), size) for size in sizes]


def main():
    try:
        import statsmodels.api as statsmodels
    except ImportError:
        statsmodels = None
    checked = {"jackknife": 0, "linearised": 0, "survey": 0, "statsmodels": 0}
    for equal, sums in worlds(500):
        seen = figures.variance(sums)
        assert close(seen, jackknife(sums)), ("jackknife", sums, seen, jackknife(sums))
        assert close(seen, linearised(sums)), ("linearised", sums, seen, linearised(sums))
        checked["jackknife"] += 1
        checked["linearised"] += 1
        if equal:
            assert close(seen, taylor(sums)), ("survey", sums, seen, taylor(sums))
            checked["survey"] += 1
            assert close(figures.freedom(sums), max(len(sums) - 1, 1)), sums
        if equal and statsmodels and checked["statsmodels"] < 60:
            assert close(seen, clustered(sums, statsmodels)), ("statsmodels", sums, seen, clustered(sums, statsmodels))
            checked["statsmodels"] += 1
    for p, freedom, expected in TABLE:
        assert abs(t_quantile(p, freedom) - expected) < 1e-6, (p, freedom)
        assert close(t_two_sided(t_quantile(p, freedom), freedom), 2 * (1 - p))
    # Cauchy's distribution, which is Student's with one degree of freedom, has a closed form.
    assert close(t_quantile(0.975, 1), math.tan(math.pi * 0.475))
    assert close(normal_quantile(0.975), 1.959963984540054)
    for name, cases in checked.items():
        print(f"variance against {name}: {cases} cases" if cases else f"{name} is not installed: not checked with it")


if __name__ == "__main__":
    main()
