# Random numbers and distributions: the same functions as in ``randomness.py`` and ``sampling.py``.
#
# A draw is a hash of (stream, request, number): nothing is kept, so it does not matter in which
# order things happen, and a draw costs a few multiplications. Each formula computes the same
# operations in the same order as the one in Python, so that both give the same bits.

cdef enum:
    SHIFT = 5
    REASON = 16  # the bit of a code that tells reasons from causes

cdef extern from *:
    """
    #define GOLDEN 0x9E3779B97F4A7C15ULL
    #define FIRST_FACTOR 0xBF58476D1CE4E5B9ULL
    #define SECOND_FACTOR 0x94D049BB133111EBULL
    #define TWO_TO_MINUS_53 0x1p-53
    """
    const Key GOLDEN
    const Key FIRST_FACTOR
    const Key SECOND_FACTOR
    const double TWO_TO_MINUS_53


cdef inline Key mix(Key value) noexcept nogil:
    value += GOLDEN
    value = (value ^ (value >> 30)) * FIRST_FACTOR
    value = (value ^ (value >> 27)) * SECOND_FACTOR
    return value ^ (value >> 31)


cdef inline Key child(Key key, Key place, Key attempt) noexcept nogil:
    return mix(mix(key ^ place) + attempt)


cdef inline Key stream(Key seed, Key place) noexcept nogil:
    return mix(mix(seed) ^ place)


cdef inline double uniform(Key draws, Key key, Key draw) noexcept nogil:
    """A number in the open interval (0, 1)."""
    return (<double>(child(draws, key, draw) >> 11) + 0.5) * TWO_TO_MINUS_53


cdef inline double normal(Key draws, Key key, Key draw) noexcept nogil:
    cdef double radius = sqrt(-2.0 * log(uniform(draws, key, draw)))
    return radius * cos(CIRCLE * uniform(draws, key, draw + 1))


cdef inline double sample(const Sampler *sampler, Key draws, Key key) noexcept nogil:
    """The time that a request takes at a place, in seconds."""
    if sampler.shape == EXPONENTIAL:
        return -sampler.a * log(uniform(draws, key, 0))
    if sampler.shape == CONSTANT:
        return sampler.a
    return sample_other(sampler, draws, key)


cdef double sample_other(const Sampler *sampler, Key draws, Key key) noexcept nogil:
    if sampler.shape == LOGNORMAL:
        return exp(sampler.a + sampler.b * normal(draws, key, 0))
    if sampler.shape == GAMMA:
        return sampler.a * gamma(sampler.b, draws, key)
    if sampler.shape == WEIBULL:
        return sampler.a * pow(-log(uniform(draws, key, 0)), 1 / sampler.b)
    if sampler.shape == PARETO:
        return sampler.a * pow(uniform(draws, key, 0), -1 / sampler.b)
    if sampler.shape == UNIFORM:
        return sampler.a + (sampler.b - sampler.a) * uniform(draws, key, 0)
    return sampler.values[<int64_t>(uniform(draws, key, 0) * sampler.count)]


cdef double gamma(double shape, Key draws, Key key) noexcept nogil:
    cdef double boost, d, c, x, v, u
    cdef Key draw = 1
    if shape < 1:
        boost = pow(uniform(draws, key, 0), 1 / shape)
        return boost * gamma(shape + 1, draws, key ^ 1)
    d = shape - 1.0 / 3
    c = 1 / sqrt(9 * d)
    while True:
        x = normal(draws, key, draw)
        v = pow(1 + c * x, 3)
        u = uniform(draws, key, draw + 2)
        if v > 0 and log(u) < 0.5 * x * x + d - d * v + d * log(v):
            return d * v
        draw += 3


cdef double zipf(const Zipf *keys, Key draws, Key key) noexcept nogil:
    """The key that a request asks for, from 0 to ``count - 1``."""
    cdef double height, x, k
    cdef Key draw = 0
    if keys.skew == 0:
        return floor(uniform(draws, key, 0) * keys.count)
    while True:
        height = keys.last + uniform(draws, key, draw) * (keys.first - keys.last)
        x = inverse_area(height, keys.skew)
        k = min(max(1.0, floor(x + 0.5)), keys.count)
        if height >= area(k + 0.5, keys.skew) - pow(k, -keys.skew):
            return k - 1
        draw += 1


cdef double area(double x, double exponent) noexcept nogil:
    cdef double logarithm = log(x)
    return logarithm if exponent == 1 else expm1((1 - exponent) * logarithm) / (1 - exponent)


cdef double inverse_area(double x, double exponent) noexcept nogil:
    if exponent == 1:
        return exp(x)
    return exp(log1p(max(-1 + 1e-15, x * (1 - exponent))) / (1 - exponent))
