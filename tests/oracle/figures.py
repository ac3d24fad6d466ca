"""The statistics: ratios of sums over prompts, their variance, and rates and means with intervals.

Sums are a list of (part, whole), one pair per prompt. Prompts are what was sampled; runs of one prompt are dependent in
an unknown way.
"""

import math

from quantiles import normal_quantile, t_quantile

CONFIDENCE = 0.975
POWER = 0.8


def per_prompt(runs, measure):
    """The sums of each prompt. `measure` gives (part, whole) of a run, or None where it was not looked at."""
    sums = {}
    for run in runs:
        seen = measure(run)
        if seen is not None:
            part, whole = sums.get(run.prompt.id, (0, 0))
            sums[run.prompt.id] = (part + seen[0], whole + seen[1])
    return [pair for pair in sums.values() if pair[1] > 0]


def ratio(sums):
    """Sum of parts over sum of wholes; None of nothing."""
    whole = sum(whole for _, whole in sums)
    return sum(part for part, _ in sums) / whole if whole else None


def variance(sums):
    """The jackknife's variance of a ratio, literally: what leaving out each prompt does to it. None for one prompt."""
    prompts = len(sums)
    if prompts < 2:
        return None
    part, whole = sum(part for part, _ in sums), sum(whole for _, whole in sums)
    without = [(part - one[0]) / (whole - one[1]) for one in sums]
    return (prompts - 1) / prompts * sum((part / whole - left) ** 2 for left in without)


def equal_prompts(sums):
    """How many prompts of equal size would tell as much."""
    whole = sum(whole for _, whole in sums)
    return min(max(whole * whole / sum(one * one for _, one in sums), 1.0), float(max(len(sums), 1)))


def freedom(sums):
    """The degrees of freedom of the variance."""
    return max(equal_prompts(sums) - 1, 1.0)


def reach(sums):
    """How many standard errors a 95 % interval reaches to each side."""
    return t_quantile(CONFIDENCE, freedom(sums))


def wilson(fraction, size, t):
    """Wilson's interval for a fraction seen in `size` independent trials, at a reach of `t` standard errors."""
    shrink = 1 + t * t / size
    centre = (fraction + t * t / (2 * size)) / shrink
    half = t * math.sqrt(fraction * (1 - fraction) / size + t * t / (4 * size * size)) / shrink
    return min(max(centre - half, 0.0), fraction), max(min(centre + half, 1.0), fraction)


def rate_interval(sums):
    """The 95 % interval of a rate: Wilson's at the effective sample size, which is never above the runs.

    The one place that knows how a rate's interval is made (docs/intervals.md). Where no variance was seen or can be
    (one prompt; all hits or none), each prompt is one trial. Else the variance of a trial is a mixture of what was seen
    and of one trial per prompt, the more of the latter the fewer prompts' worth of hits or misses there are; only the
    part that was seen has an error of its own, which makes Satterthwaite's degrees of freedom.
    """
    value, spread = ratio(sums), variance(sums)
    if spread is None or not 0 < value < 1:
        return wilson(value, equal_prompts(sums), normal_quantile(CONFIDENCE))
    whole = sum(whole for _, whole in sums)
    seen = min(value * (1 - value) / spread if spread > 0 else math.inf, whole)
    worth = min(value, 1 - value) * seen
    doubt = 4 / (4 + worth * worth)
    cautious = equal_prompts(sums)
    if seen > cautious:
        per_trial = (1 - doubt) / seen + doubt / cautious
    else:
        per_trial = 1 / seen
    estimated = 1 - doubt / cautious / per_trial
    return wilson(value, 1 / per_trial, t_quantile(CONFIDENCE, freedom(sums) / estimated**2))


def rate(sums):
    """A rate as answers have it."""
    sums = [(min(part, whole), whole) for part, whole in sums if whole > 0]
    value = ratio(sums)
    low, high = rate_interval(sums) if sums else (None, None)
    return {
        "value": value, "low": low, "high": high,
        "hits": sum(part for part, _ in sums), "runs": sum(whole for _, whole in sums), "prompts": len(sums),
    }


def rate_of_one_prompt(hits, runs):
    """The rate of one prompt's runs, where these runs are the sample."""
    if not runs:
        return rate([])
    low, high = wilson(hits / runs, runs, normal_quantile(CONFIDENCE))
    return {"value": hits / runs, "low": low, "high": high, "hits": hits, "runs": runs, "prompts": 1}


def mean(sums, floor=None):
    """A mean as answers have it: Student's t at the variance; no interval where no spread between prompts was seen."""
    sums = [pair for pair in sums if pair[1] > 0]
    value, seen = ratio(sums), variance(sums)
    half = reach(sums) * math.sqrt(seen) if seen else 0.0
    has_spread = value is not None and half > 1e-9 * abs(value)
    low = value - half if has_spread else None
    if low is not None and floor is not None:
        low = min(max(low, floor), value)
    return {
        "value": value, "low": low, "high": value + half if has_spread else None,
        "runs": sum(whole for _, whole in sums), "prompts": len(sums),
    }
