"""Prints the coefficients of erf in Sources/CApus/nn_math.h and the errors they leave.

Two pieces: erf(x) = x + x P(x^2) for |x| <= 0.9, and 1 - exp(-t Q(t)) for t = |x| in 0.9...4, each fitted by
reweighted least squares (Lawson's iteration, close to the minimax fit) in double precision.
"""

import numpy as np
from scipy.special import erf, erfcx


def lawson(basis, values, weight, steps=200):
    w = np.ones(len(values))
    for _ in range(steps):
        s = np.sqrt(w) * weight
        c, *_ = np.linalg.lstsq(basis * s[:, None], values * s, rcond=None)
        r = np.abs((basis @ c - values) * weight)
        w *= r
        w /= w.mean()
    return c, r.max()


def nodes(low, high, count=4001):
    return (low + high) / 2 + (high - low) / 2 * np.cos(np.linspace(0, np.pi, count))


x = nodes(1e-3, 0.91)
c, error = lawson(np.vander(x * x, 6, increasing=True), erf(x) / x - 1, 1 / (erf(x) / x))
print("P, lowest power first:", [float(f"{v:.9g}") for v in c], "relative error of erf", error)

t = nodes(0.89, 4.0)
# -ln erfc(t) = t^2 - ln erfcx(t); what matters is the absolute error of erfc.
values = (t * t - np.log(erfcx(t))) / t
erfc = erfcx(t) * np.exp(-t * t)
c, error = lawson(np.vander(t, 8, increasing=True), values, t * erfc)
print("Q, lowest power first:", [float(f"{v:.9g}") for v in c], "absolute error of erfc", error)
