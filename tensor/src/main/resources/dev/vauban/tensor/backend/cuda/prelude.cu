// What all generated kernels have in common. The tests compile the same text for the processor, where
// V_ON_CARD is 0: little is used of CUDA C++ beyond C, its qualifiers and __syncthreads.

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define V_ON_CARD 1
#define V_FN [[maybe_unused]] static __device__ __forceinline__
#else
#define V_ON_CARD 0
#define V_FN [[maybe_unused]] static inline
#endif

typedef unsigned char v_u8;
typedef unsigned short v_bf16;
typedef unsigned int v_u32;
typedef unsigned long long v_u64;

// Two or four elements moved at once; addresses are multiples of the size.
typedef struct __attribute__((aligned(8))) { float e[2]; } v_f32x2;
typedef struct __attribute__((aligned(8))) { v_u32 e[2]; } v_u32x2;
typedef struct __attribute__((aligned(16))) { float e[4]; } v_f32x4;
typedef struct __attribute__((aligned(16))) { int e[4]; } v_i32x4;
typedef struct __attribute__((aligned(16))) { v_u32 e[4]; } v_u32x4;
typedef struct __attribute__((aligned(16))) { double e[4]; } v_f64x4;
typedef struct __attribute__((aligned(8))) { v_bf16 e[4]; } v_bf16x4;
typedef struct __attribute__((aligned(4))) { v_u8 e[4]; } v_u8x4;

V_FN float v_float(v_u32 bits) {
  union { v_u32 u; float f; } x;
  x.u = bits;
  return x.f;
}

V_FN v_u32 v_bits(float value) {
  union { v_u32 u; float f; } x;
  x.f = value;
  return x.u;
}

#define V_INF v_float(0x7f800000u)
#define V_NAN v_float(0x7fc00000u)

// ---- Types of memory and types of values -------------------------------------------------------

V_FN float v_from_bf16(v_bf16 a) { return v_float((v_u32)a << 16); }

// To nearest, ties to even.
V_FN v_bf16 v_to_bf16(float a) {
  v_u32 b = v_bits(a);
  return (v_bf16)(a != a ? (b >> 16) | 0x40u : (b + 0x7fffu + ((b >> 16) & 1u)) >> 16);
}

// Towards zero; saturates; NaN gives 0.
V_FN int v_f_to_i(float a) {
  return a != a ? 0 : a >= 2147483648.0f ? 2147483647 : a <= -2147483648.0f ? -2147483647 - 1 : (int)a;
}

V_FN int v_d_to_i(double a) {
  return a != a ? 0 : a >= 2147483647.0 ? 2147483647 : a <= -2147483648.0 ? -2147483647 - 1 : (int)a;
}

V_FN v_u8 v_i_to_u8(int a) { return (v_u8)(a < 0 ? 0 : a > 255 ? 255 : a); }

// ---- Scalar functions: v_<name>_<f, d or i> ----------------------------------------------------

#define V_ARITHMETIC(T, s)                                                                        \
  V_FN T v_sign_##s(T a) { return a > 0 ? (T)1 : a < 0 ? (T)-1 : a; }                             \
  V_FN T v_relu_##s(T a) { return a > 0 || a != a ? a : (T)0; }                                   \
  V_FN T v_min_##s(T a, T b) { return a < b || a != a ? a : b; }                                  \
  V_FN T v_max_##s(T a, T b) { return a > b || a != a ? a : b; }                                  \
  V_FN T v_lt_##s(T a, T b) { return (T)(a < b); }                                                \
  V_FN T v_le_##s(T a, T b) { return (T)(a <= b); }                                               \
  V_FN T v_eq_##s(T a, T b) { return (T)(a == b); }                                               \
  V_FN T v_ne_##s(T a, T b) { return (T)(a != b); }                                               \
  V_FN T v_select_##s(T m, T a, T b) { return m != 0 ? a : b; }                                   \
  V_FN T v_clamp_##s(T a, T low, T high) { return v_min_##s(v_max_##s(a, low), high); }

V_ARITHMETIC(float, f)
V_ARITHMETIC(double, d)
V_ARITHMETIC(int, i)

#define V_REAL(T, s, sfx)                                                                         \
  V_FN T v_neg_##s(T a) { return -a; }                                                            \
  V_FN T v_abs_##s(T a) { return fabs##sfx(a); }                                                  \
  V_FN T v_floor_##s(T a) { return floor##sfx(a); }                                               \
  V_FN T v_exp_##s(T a) { return exp##sfx(a); }                                                   \
  V_FN T v_expm1_##s(T a) { return expm1##sfx(a); }                                               \
  V_FN T v_log_##s(T a) { return log##sfx(a); }                                                   \
  V_FN T v_log1p_##s(T a) { return log1p##sfx(a); }                                               \
  V_FN T v_sin_##s(T a) { return sin##sfx(a); }                                                   \
  V_FN T v_cos_##s(T a) { return cos##sfx(a); }                                                   \
  V_FN T v_tanh_##s(T a) { return tanh##sfx(a); }                                                 \
  V_FN T v_sigmoid_##s(T a) { return 1 / (1 + exp##sfx(-a)); }                                    \
  V_FN T v_erf_##s(T a) { return erf##sfx(a); }                                                   \
  V_FN T v_sqrt_##s(T a) { return sqrt##sfx(a); }                                                 \
  V_FN T v_rsqrt_##s(T a) { return 1 / sqrt##sfx(a); }                                            \
  V_FN T v_reciprocal_##s(T a) { return 1 / a; }                                                  \
  V_FN T v_add_##s(T a, T b) { return a + b; }                                                    \
  V_FN T v_sub_##s(T a, T b) { return a - b; }                                                    \
  V_FN T v_mul_##s(T a, T b) { return a * b; }                                                    \
  V_FN T v_div_##s(T a, T b) { return a / b; }                                                    \
  /* C says 1 where Java, the definition, says NaN. */                                            \
  V_FN T v_pow_##s(T a, T b) {                                                                    \
    return b != b ? b : fabs##sfx(a) == 1 && fabs##sfx(b) > (T)3.0e38 && b - b != 0 ? b - b       \
                                                                          : pow##sfx(a, b);       \
  }

V_REAL(float, f, f)
V_REAL(double, d, )

// Integers wrap around.
V_FN int v_neg_i(int a) { return (int)(0u - (v_u32)a); }
V_FN int v_abs_i(int a) { return a < 0 ? v_neg_i(a) : a; }
V_FN int v_add_i(int a, int b) { return (int)((v_u32)a + (v_u32)b); }
V_FN int v_sub_i(int a, int b) { return (int)((v_u32)a - (v_u32)b); }
V_FN int v_mul_i(int a, int b) { return (int)((v_u32)a * (v_u32)b); }

// ---- Orders ------------------------------------------------------------------------------------

// A number's place among all: a smaller number has a smaller one; both zeros are equal, all NaNs are
// equal and above every number.
V_FN v_u64 v_order_f(float a) {
  v_u32 b = v_bits(a);
  return a != a ? 0xffffffffu : a == 0 ? 0x80000000u : b & 0x80000000u ? ~b : b | 0x80000000u;
}

V_FN v_u64 v_order_i(int a) { return (v_u32)a ^ 0x80000000u; }

V_FN v_u64 v_order_d(double a) {
  union { v_u64 u; double d; } x;
  x.d = a;
  if (a != a) {
    return ~0ull;
  }
  return a == 0 ? 1ull << 63 : x.u >> 63 ? ~x.u : x.u | 1ull << 63;
}

// ---- Random numbers: Threefry-2x32-20 (Salmon et al. 2011), as dev.vauban.tensor.Key ------------

V_FN v_u32 v_rotate(v_u32 a, int n) { return a << n | a >> (32 - n); }

V_FN void v_threefry(v_u32 k0, v_u32 k1, v_u32 c0, v_u32 c1, v_u32* w0, v_u32* w1) {
  v_u32 a = k1, b = 0x1BD11BDAu ^ k0 ^ k1, c = k0;
  v_u32 x0 = c0 + k0, x1 = c1 + k1;
  for (v_u32 g = 0; g < 5; g++) {
    int odd = g & 1;
    x0 += x1;
    x1 = v_rotate(x1, odd ? 17 : 13) ^ x0;
    x0 += x1;
    x1 = v_rotate(x1, odd ? 29 : 15) ^ x0;
    x0 += x1;
    x1 = v_rotate(x1, odd ? 16 : 26) ^ x0;
    x0 += x1;
    x1 = v_rotate(x1, odd ? 24 : 6) ^ x0;
    x0 += a;
    x1 += b + g + 1;
    v_u32 t = a;
    a = b;
    b = c;
    c = t;
  }
  *w0 = x0;
  *w1 = x1;
}

#if V_ON_CARD
// Rounded one by one: the compiler may not contract them.
V_FN float v_rn_mul(float a, float b) { return __fmul_rn(a, b); }
V_FN float v_rn_add(float a, float b) { return __fadd_rn(a, b); }
V_FN float v_rn_fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
V_FN float v_rn_sqrt(float a) { return __fsqrt_rn(a); }
#else
V_FN float v_rn_mul(float a, float b) { return a * b; }
V_FN float v_rn_add(float a, float b) { return a + b; }
V_FN float v_rn_fma(float a, float b, float c) { return fmaf(a, b, c); }
V_FN float v_rn_sqrt(float a) { return sqrtf(a); }
#endif

// One term more of a product. Elsewhere nothing is contracted (--fmad=false): what two kernels compute
// anew has the same bits in both.
#if V_ON_CARD
V_FN float v_fma_f(float a, float b, float c) { return fmaf(a, b, c); }
V_FN double v_fma_d(double a, double b, double c) { return fma(a, b, c); }
#else
V_FN float v_fma_f(float a, float b, float c) { return a * b + c; }
V_FN double v_fma_d(double a, double b, double c) { return a * b + c; }
#endif
V_FN int v_fma_i(int a, int b, int c) { return v_add_i(v_mul_i(a, b), c); }

V_FN float v_uniform(v_u32 word) { return (float)(word >> 8) * v_float(0x33800000u); }

// Box and Muller with Cephes' polynomials: the CPU's steps (kernels.Threefry), so the CPU's bits.
V_FN float v_normal(v_u32 w0, v_u32 w1) {
  float u = v_rn_mul((float)((w0 >> 8) + 1), v_float(0x33800000u));
  int shifted = (int)(v_bits(u) - 0x3F3504F3u);
  float e = (float)(shifted >> 23);
  float x = v_rn_add(v_float((v_u32)(shifted & 0x7FFFFF) + 0x3F3504F3u), -1.0f);
  float z = v_rn_mul(x, x);
  float p = 7.0376836292e-2f;
  p = v_rn_fma(p, x, -1.1514610310e-1f);
  p = v_rn_fma(p, x, 1.1676998740e-1f);
  p = v_rn_fma(p, x, -1.2420140846e-1f);
  p = v_rn_fma(p, x, 1.4249322787e-1f);
  p = v_rn_fma(p, x, -1.6668057665e-1f);
  p = v_rn_fma(p, x, 2.0000714765e-1f);
  p = v_rn_fma(p, x, -2.4999993993e-1f);
  p = v_rn_fma(p, x, 3.3333331174e-1f);
  float y = v_rn_mul(v_rn_mul(p, x), z);
  y = v_rn_fma(e, -2.12194440e-4f, y);
  y = v_rn_fma(z, -0.5f, y);
  float log = v_rn_fma(e, 0.693359375f, v_rn_add(x, y));
  float radius = v_rn_sqrt(v_rn_mul(log, -2.0f));

  int word = (int)(w1 >> 8);
  int quarter = (word + (1 << 21)) >> 22;
  float a = v_rn_mul((float)(word - quarter * (1 << 22)), v_float(0x34C90FDBu)); // pi / 2^23
  z = v_rn_mul(a, a);
  float c = 2.443315711809948e-5f;
  c = v_rn_fma(c, z, -1.388731625493765e-3f);
  c = v_rn_fma(c, z, 4.166664568298827e-2f);
  c = v_rn_fma(c, z, -0.5f);
  c = v_rn_fma(c, z, 1.0f);
  float s = -1.9515295891e-4f;
  s = v_rn_fma(s, z, 8.3321608736e-3f);
  s = v_rn_fma(s, z, -1.6666654611e-1f);
  s = v_rn_fma(v_rn_mul(s, z), a, a);
  float value = quarter & 1 ? s : c;
  v_u32 sign = (v_u32)((quarter + 1) & 2) << 30;
  return v_rn_mul(v_float(v_bits(value) ^ sign), radius);
}
