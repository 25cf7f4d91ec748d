"""The median of repeated measurements and its exact 95 % interval from order statistics.

The interval [k-th smallest, k-th largest] covers the true median with the probability that a fair coin thrown n times
shows at least k heads and at least k tails: no assumption about the distribution. With fewer than six values there is
no such interval, and the range is given instead.
"""

from math import comb


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def interval_95(values):
    ordered = sorted(values)
    n = len(ordered)
    k = 0
    tail = 0.0
    while k < n // 2:
        tail += comb(n, k) / 2**n
        if 2 * tail > 0.05:
            break
        k += 1
    return (ordered[max(k, 1) - 1], ordered[n - max(k, 1)])
