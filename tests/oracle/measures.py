"""What is measured of a run, seen from a brand, and the figures that are counts rather than estimates."""

import math
from fractions import Fraction

import figures


def presence(brand):
    """Named or cited, of runs checked for both."""
    def measure(run):
        halves = (run.mentions(brand), run.citations_of(brand))
        return None if None in halves else (int(any(halves)), 1)
    return measure


def mention(brand):
    """Named, of runs checked for mentions."""
    def measure(run):
        mentions = run.mentions(brand)
        return None if mentions is None else (int(mentions > 0), 1)
    return measure


def citation(brand):
    """Cited, of runs checked for citations."""
    def measure(run):
        citations = run.citations_of(brand)
        return None if citations is None else (int(citations > 0), 1)
    return measure


def share(brand, half):
    """The brand's mentions (half 0) or citations (half 1) of those of all brands, where all were checked."""
    def measure(run):
        if not run.share_basis(half) or brand.id not in run.checks:
            return None
        counts = run.share_counts(half)
        return counts[brand.id], sum(counts.values())
    return measure


def position(brand):
    """The place of the brand's first citation, of runs that cite it and give the place."""
    def measure(run):
        place = run.fact(brand, "best_citation_position")
        return (place, 1) if place is not None and run.citations_of(brand) else None
    return measure


def rank(brand):
    """The brand's place among those named, of runs whose text names it: ranks are read off the text."""
    def measure(run):
        place = run.fact(brand, "mention_rank")
        return (place, 1) if place is not None and run.fact(brand, "derived_mentions") else None
    return measure


def sentiment(brand):
    """Sentiment, of runs that the upstream scored."""
    def measure(run):
        score = run.fact(brand, "sentiment")
        return None if score is None else (score, 1)
    return measure


def all_figures(runs, brand):
    """Every figure of a brand over finished runs."""
    def rate(measure):
        return figures.rate(figures.per_prompt(runs, measure))

    def mean(measure, floor=None):
        return figures.mean(figures.per_prompt(runs, measure), floor)

    return {
        "runs": len(runs),
        "prompts": len({run.prompt.id for run in runs}),
        "presence_rate": rate(presence(brand)),
        "mention_rate": rate(mention(brand)),
        "citation_rate": rate(citation(brand)),
        "mention_share_of_voice": rate(share(brand, 0)),
        "citation_share_of_voice": rate(share(brand, 1)),
        "avg_citation_position": mean(position(brand), 1.0),
        "avg_mention_rank": mean(rank(brand), 1.0),
        "avg_sentiment": mean(sentiment(brand)),
    }


def gap(run, brand, brands):
    """The brand was looked for in both ways and does not appear, and a rival does."""
    return presence_of_us(run, brand, brands) is False and any(run.visible(one) for one in rivals(brand, brands))


def presence_of_us(run, brand, brands):
    """Does the brand appear, where it was looked for in both ways? None where it was not. Own brands are as one."""
    us = [one for one in brands if one.kind == "own"] if brand.kind == "own" else [brand]
    looked_for = any(None not in (run.mentions(one), run.citations_of(one)) for one in us)
    return any(run.visible(one) for one in us) if looked_for else None


def rivals(brand, brands):
    """Of the own brand the competitors; of another all other tracked brands."""
    if brand.kind == "own":
        return [one for one in brands if one.kind == "competitor"]
    return [one for one in brands if one.tracked and one != brand]


def flip_rate(runs, brand):
    """How often a brand's presence differs from one finished run to the next of the same prompt on the same engine.

    Runs come oldest first; those of which presence is not known are left out.
    """
    measure = presence(brand)
    known = [(run, measure(run)) for run in runs]
    return flips((run.prompt.id, run.engine, bool(seen[0])) for run, seen in known if seen is not None)


def flips(known):
    """The same for (prompt, engine, present) in order of time."""
    last, sums = {}, {}
    for prompt, engine, present in known:
        if (prompt, engine) in last:
            flipped, pairs = sums.get(prompt, (0, 0))
            sums[prompt] = (flipped + (last[prompt, engine] != present), pairs + 1)
        last[prompt, engine] = present
    return figures.rate(list(sums.values()))


def jaccard(one, other):
    """The overlap of two sets: what both have of what either has. None of nothing."""
    one, other = set(one), set(other)
    return len(one & other) / len(one | other) if one | other else None


def brand_list_overlap(runs, brands):
    """How much the tracked brands of one finished run of one prompt have in common with those of the next on the same
    engine: the mean over pairs with a brand in either.

    Runs come oldest first; those that were not checked for all tracked brands are left out.
    """
    tracked = [brand for brand in brands if brand.tracked]
    last, found = {}, []
    for run in runs:
        seen = {brand: run.visible(brand) for brand in tracked if brand.id in run.checks}
        if not seen or any((run.mentions(brand), run.citations_of(brand)).count(None) for brand in seen):
            continue
        present = {brand for brand, there in seen.items() if there}
        if (run.prompt.id, run.engine) in last:
            found.append(jaccard(last[run.prompt.id, run.engine], present))
        last[run.prompt.id, run.engine] = present
    found = [one for one in found if one is not None]
    return sum(found) / len(found) if found else None


def prompt_split(runs, us, them):
    """The prompts that were checked for both, by who appears in any of their runs."""
    seen = []
    for brand in (us, them):
        measure, prompts = presence(brand), {}
        for run in runs:
            found = measure(run)
            if found is not None:
                prompts[run.prompt] = prompts.get(run.prompt, False) or found[0] > 0
        seen.append(prompts)
    names = {(True, False): "only_us", (False, True): "only_them", (True, True): "both", (False, False): "neither"}
    split = {name: [] for name in names.values()}
    for prompt in set(seen[0]) & set(seen[1]):
        split[names[seen[0][prompt], seen[1][prompt]]].append(prompt)
    return split


def fisher_p(before, now):
    """Fisher's exact test of two (hits, runs): the chance of a split at least as uneven if nothing changed."""
    (hits, runs), (more_hits, more_runs) = before, now
    all_hits, all_runs = hits + more_hits, runs + more_runs
    splits = {
        k: math.comb(runs, k) * math.comb(more_runs, all_hits - k)
        for k in range(max(0, all_hits - more_runs), min(all_hits, runs) + 1)
    }
    uneven = sum(ways for ways in splits.values() if ways <= splits[hits])
    return float(Fraction(uneven, math.comb(all_runs, all_hits)))


def benjamini_hochberg(p_values, share_false):
    """Which tests are discoveries when this share of the discoveries may be false."""
    ranked = sorted(p_values)
    passing = [p for place, p in enumerate(ranked, start=1) if p <= share_false * place / len(ranked)]
    return [bool(passing) and p <= max(passing) for p in p_values]
