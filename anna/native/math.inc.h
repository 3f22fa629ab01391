/* exp and tanh of arrays: the operations of anna/native/exact_math.py in their order, each rounded once, so the same bits.
 *
 * Included once for each type of number: REAL, WHOLE (integers of its size), REAL_NAME, and REAL_IS_DOUBLE. */

#define REAL_JOIN(a, b) a##b
#define REAL_CALL(a, b) REAL_JOIN(a, b)
#define REAL_OF(name) REAL_CALL(name, REAL_NAME)

static inline __attribute__((always_inline)) REAL REAL_OF(polynomial_)(REAL x, const REAL *coefficient, const int count)
{
    REAL total = coefficient[0];
    for (int i = 1; i < count; i++)
        total = total * x + coefficient[i];
    return total;
}

/* 2^n for a whole number n. Added to the first float whose last place is one, n and the bias are the last bits of the sum: what
 * needs no conversion to an integer, which AVX2 lacks for doubles. */
static inline __attribute__((always_inline)) REAL REAL_OF(power_of_two_)(REAL n)
{
    const REAL sum = n + (REAL_IS_DOUBLE ? (REAL)(0x1p52 + 1023) : (REAL)(0x1p23 + 127));
    WHOLE bits;
    REAL power;
    memcpy(&bits, &sum, sizeof bits);
    bits = REAL_IS_DOUBLE ? (WHOLE)((uint64_t)bits << 52) : (WHOLE)((uint32_t)bits << 23);
    memcpy(&power, &bits, sizeof power);
    return power;
}

static inline __attribute__((always_inline)) REAL REAL_OF(floor_)(REAL x)
{
    return REAL_IS_DOUBLE ? (REAL)__builtin_floor(x) : (REAL)__builtin_floorf((float)x);
}

/* 2^-n e^x for the whole number n nearest to x / ln 2. */
static inline __attribute__((always_inline)) REAL REAL_OF(mantissa_)(REAL x, REAL n)
{
    if (REAL_IS_DOUBLE) {
        static const REAL p[] = {(REAL)1.26177193074810590878e-4, (REAL)3.02994407707441961300e-2,
                                 (REAL)9.99999999999999999910e-1};
        static const REAL q[] = {(REAL)3.00198505138664455042e-6, (REAL)2.52448340349684104192e-3,
                                 (REAL)2.27265548208155028766e-1, (REAL)2.0};
        const REAL rest = x - n * (REAL)6.93145751953125e-1 - n * (REAL)1.42860682030941723212e-6;
        const REAL square = rest * rest, top = rest * REAL_OF(polynomial_)(square, p, 3);
        return (REAL)1 + (REAL)2 * (top / (REAL_OF(polynomial_)(square, q, 4) - top));
    }
    static const REAL c[] = {(REAL)1.9875691500e-4, (REAL)1.3981999507e-3, (REAL)8.3334519073e-3,
                             (REAL)4.1665795894e-2, (REAL)1.6666665459e-1, (REAL)5.0000001201e-1};
    const REAL rest = x - n * (REAL)0.693359375 - n * (REAL)-2.12194440e-4;
    return REAL_OF(polynomial_)(rest, c, 6) * (rest * rest) + rest + (REAL)1;
}

/* e^x; infinity above the range, 0 below it, NaN of NaN. Two factors scale subnormal results and those near the top exactly. */
static inline __attribute__((always_inline)) REAL REAL_OF(exp_of_)(REAL x)
{
    const REAL low = REAL_IS_DOUBLE ? -746 : -104, high = REAL_IS_DOUBLE ? 710 : 89;
    const REAL known = x == x ? x : 0, above = known < low ? low : known, held = above > high ? high : above;
    const REAL n = REAL_OF(floor_)(held * (REAL)1.4426950408889634 + (REAL)0.5), first = REAL_OF(floor_)(n * (REAL)0.5);
    const REAL power = REAL_OF(mantissa_)(held, n) * REAL_OF(power_of_two_)(first) * REAL_OF(power_of_two_)(n - first);
    return x == x ? power : (REAL)NAN;
}

static void REAL_OF(exp_)(const REAL *x, REAL *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = REAL_OF(exp_of_)(x[i]);
}

static void REAL_OF(tanh_)(const REAL *x, REAL *out, int64_t count)
{
    static const REAL p[] = {(REAL)-9.64399179425052238628e-1, (REAL)-9.92877231001918586564e1,
                             (REAL)-1.61468768441708447952e3};
    static const REAL q[] = {(REAL)1, (REAL)1.12811678491632931402e2, (REAL)2.23548839060100448583e3,
                             (REAL)4.84406305325125486048e3};
    static const REAL c[] = {(REAL)-5.70498872745e-3, (REAL)2.06390887954e-2, (REAL)-5.37397155531e-2,
                             (REAL)1.33314422036e-1, (REAL)-3.33332819422e-1};
    const REAL flat = REAL_IS_DOUBLE ? 20 : 10, edge = (REAL)0.625;
    for (int64_t i = 0; i < count; i++) {
        const REAL size = REAL_IS_DOUBLE ? (REAL)__builtin_fabs(x[i]) : (REAL)__builtin_fabsf((float)x[i]);
        const REAL small = size > edge ? edge : size, square = small * small;
        const REAL curve = REAL_IS_DOUBLE ? REAL_OF(polynomial_)(square, p, 3) / REAL_OF(polynomial_)(square, q, 4)
                                          : REAL_OF(polynomial_)(square, c, 5);
        const REAL near = small + small * (square * curve);
        const REAL twice = (size > flat ? flat : size) * (REAL)2, known = twice == twice ? twice : 0;
        const REAL n = REAL_OF(floor_)(known * (REAL)1.4426950408889634 + (REAL)0.5);
        const REAL power = REAL_OF(mantissa_)(twice, n) * REAL_OF(power_of_two_)(n);
        const REAL far = (REAL)1 - (REAL)2 / (power + (REAL)1), height = size < edge ? near : far;
        out[i] = REAL_IS_DOUBLE ? (REAL)__builtin_copysign(height, x[i]) : (REAL)__builtin_copysignf((float)height, (float)x[i]);
    }
}

#undef REAL_JOIN
#undef REAL_CALL
#undef REAL_OF
