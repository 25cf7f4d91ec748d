"""One measured figure as the speed table prints it."""

from statistics_of_medians import interval_95, median


def figure(what, values, unit, hoped=None, met=None, note=""):
    """`met` takes (median, interval) and says whether the hope came true."""
    interval = interval_95(values)
    result = {"what": what, "value": median(values), "interval": interval, "n": len(values), "unit": unit,
              "values": values, "note": note}
    if hoped:
        result["hoped"] = hoped
        result["met"] = met(result["value"], interval)
    return result


def skipped(what, why):
    return {"what": what, "skipped": why}
