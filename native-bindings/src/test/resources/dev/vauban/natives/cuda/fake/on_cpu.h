/*
 * CUDA C++ on the processor: what the fake compiler puts in front of every program, so that gcc makes a
 * shared library of it that the fake driver runs. Light on purpose: it is compiled with every kernel.
 *
 * Threads of a block run one after another; where a program synchronises them, each is a coroutine that
 * stops at barriers and exchanges (see fake_blocks.cpp). Emulated: __shared__ (filled with NaNs before
 * every block), __syncthreads, warp shuffles and votes, atomics, the mathematical functions. Not
 * emulated: inline PTX, tensor cores, textures, cooperative groups, clusters, asynchronous copies; a
 * program chooses other code for those under VAUBAN_ON_CPU.
 */
#pragma once
#define VAUBAN_ON_CPU 1

typedef unsigned char vauban_byte;
typedef unsigned long long vauban_u64;
typedef decltype(sizeof(0)) size_t;
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef unsigned long uintptr_t;

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__
/* In a section of its own, so that it can be filled before every block. */
#define __shared__ static __attribute__((section("vauban_shared")))

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
typedef dim3 uint3;

static dim3 threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = 32;

/* What the fake driver gives a module. */
struct vauban_host {
  void (*barrier)(int line);
  void (*warp_barrier)(unsigned mask, int line);
  vauban_u64 *(*warp_slots)();
  int (*lane)();
  unsigned (*warp_threads)();
  void (*misaligned)(); /* does not return */
  int backwards; /* the last thread of a block comes first */
};
extern "C" {
__attribute__((visibility("default"))) const vauban_host *vauban_host_of_module;
extern vauban_byte __start_vauban_shared[] __attribute__((weak, visibility("hidden")));
extern vauban_byte __stop_vauban_shared[] __attribute__((weak, visibility("hidden")));
}
static __attribute__((aligned(1024))) vauban_byte vauban_dynamic_shared[232448];

/* What gcc calls where an address is no multiple of what its type asks for: a card refuses that. */
extern "C" __attribute__((visibility("hidden"), used, noreturn)) inline void
__ubsan_handle_type_mismatch_v1_abort(void *, uintptr_t) {
  vauban_host_of_module->misaligned();
  __builtin_unreachable();
}

/* What a module gives the fake driver. */
struct vauban_module {
  dim3 *thread, *block, *block_size, *grid_size;
  vauban_byte *shared, *shared_end, *dynamic_shared;
  int synchronises;
};
struct vauban_kernel {
  void (*one)(void **); /* the thread that threadIdx names */
  void (*all)(void **); /* every thread of the block that blockIdx names */
  int count;
  int sizes[128];
};

#ifndef VAUBAN_SYNCHRONISES
#define VAUBAN_SYNCHRONISES 0
#endif
extern "C" __attribute__((visibility("default"))) const vauban_module *vauban_describe() {
  static const vauban_module module = {&threadIdx, &blockIdx, &blockDim, &gridDim,
      __start_vauban_shared, __stop_vauban_shared, vauban_dynamic_shared, VAUBAN_SYNCHRONISES};
  return &module;
}

template <class T> struct vauban_plain { typedef T type; };
template <class T> struct vauban_plain<const T> { typedef T type; };
template <int... I> struct vauban_sequence {};

template <auto Kernel> struct vauban_launcher;
template <class... A, void (*Kernel)(A...)> struct vauban_launcher<Kernel> {
  template <int... I> static inline void call(void **a, vauban_sequence<I...>) {
    Kernel(*static_cast<typename vauban_plain<A>::type *>(a[I])...);
  }
  static void one(void **a) { call(a, vauban_sequence<__integer_pack(sizeof...(A))...>()); }
  static void all(void **a) {
    unsigned count = blockDim.x * blockDim.y * blockDim.z;
    int backwards = vauban_host_of_module->backwards;
    threadIdx = dim3(0, 0, 0);
    if (backwards) threadIdx = dim3(blockDim.x - 1, blockDim.y - 1, blockDim.z - 1);
    for (unsigned i = 0; i < count; i++) {
      one(a);
      if (backwards ? threadIdx.x-- == 0 : ++threadIdx.x == blockDim.x) {
        threadIdx.x = backwards ? blockDim.x - 1 : 0;
        if (backwards ? threadIdx.y-- == 0 : ++threadIdx.y == blockDim.y) {
          threadIdx.y = backwards ? blockDim.y - 1 : 0;
          threadIdx.z += backwards ? -1 : 1;
        }
      }
    }
  }
  static constexpr vauban_kernel describe() {
    static_assert(sizeof...(A) <= 128, "more parameters than the fake driver takes");
    return {one, all, (int)sizeof...(A), {(int)sizeof(A)...}};
  }
};
#define VAUBAN_KERNEL(name)                                                  \
  extern "C" __attribute__((visibility("default"))) const vauban_kernel      \
      vauban_kernel_##name = vauban_launcher<name>::describe();

/* Barriers and warps. */
#define __syncthreads() vauban_host_of_module->barrier(__LINE__)
#define __syncwarp(...) vauban_sync_warp(__LINE__, ##__VA_ARGS__)
static inline void vauban_sync_warp(int line, unsigned mask = ~0u) {
  vauban_host_of_module->warp_barrier(mask, line);
}
static inline void __threadfence() {}
static inline void __threadfence_block() {}

template <class T> static inline T vauban_exchange(unsigned mask, T value, int from, bool valid) {
  static_assert(sizeof(T) <= 8, "shuffles move 4 or 8 bytes");
  vauban_u64 *slots = vauban_host_of_module->warp_slots();
  vauban_u64 mine = 0;
  __builtin_memcpy(&mine, &value, sizeof(T));
  slots[vauban_host_of_module->lane()] = mine;
  vauban_host_of_module->warp_barrier(mask, 0);
  T out = value;
  if (valid) __builtin_memcpy(&out, &slots[from & 31], sizeof(T));
  vauban_host_of_module->warp_barrier(mask, 0); /* nobody writes before all have read */
  return out;
}
template <class T> static inline T __shfl_sync(unsigned mask, T v, int lane, int width = 32) {
  int me = vauban_host_of_module->lane();
  return vauban_exchange(mask, v, (me & ~(width - 1)) | (lane & (width - 1)), true);
}
template <class T> static inline T __shfl_xor_sync(unsigned mask, T v, int bits, int width = 32) {
  int me = vauban_host_of_module->lane(), from = me ^ bits;
  return vauban_exchange(mask, v, from, (from & ~(width - 1)) == (me & ~(width - 1)) || from < me);
}
template <class T> static inline T __shfl_down_sync(unsigned mask, T v, unsigned by, int width = 32) {
  int me = vauban_host_of_module->lane();
  return vauban_exchange(mask, v, me + by, (me & (width - 1)) + (int)by < width);
}
template <class T> static inline T __shfl_up_sync(unsigned mask, T v, unsigned by, int width = 32) {
  int me = vauban_host_of_module->lane();
  return vauban_exchange(mask, v, me - by, (me & (width - 1)) - (int)by >= 0);
}
static inline unsigned __ballot_sync(unsigned mask, int predicate) {
  vauban_u64 *slots = vauban_host_of_module->warp_slots();
  slots[vauban_host_of_module->lane()] = predicate != 0;
  vauban_host_of_module->warp_barrier(mask, 0);
  unsigned votes = 0, there = vauban_host_of_module->warp_threads() & mask;
  for (int i = 0; i < 32; i++)
    if (there >> i & 1) votes |= (unsigned)slots[i] << i;
  vauban_host_of_module->warp_barrier(mask, 0);
  return votes;
}
static inline int __any_sync(unsigned mask, int p) { return __ballot_sync(mask, p) != 0; }
static inline int __all_sync(unsigned mask, int p) {
  return __ballot_sync(mask, p) == (vauban_host_of_module->warp_threads() & mask);
}

/* Atomics: one thread runs at a time. */
template <class T, class U> static inline T atomicAdd(T *p, U v) { T old = *p; *p = old + (T)v; return old; }
template <class T, class U> static inline T atomicSub(T *p, U v) { T old = *p; *p = old - (T)v; return old; }
template <class T, class U> static inline T atomicExch(T *p, U v) { T old = *p; *p = (T)v; return old; }
template <class T, class U> static inline T atomicMax(T *p, U v) { T old = *p; if ((T)v > old) *p = (T)v; return old; }
template <class T, class U> static inline T atomicMin(T *p, U v) { T old = *p; if ((T)v < old) *p = (T)v; return old; }
template <class T, class U> static inline T atomicOr(T *p, U v) { T old = *p; *p = old | (T)v; return old; }
template <class T, class U> static inline T atomicAnd(T *p, U v) { T old = *p; *p = old & (T)v; return old; }
template <class T, class U> static inline T atomicXor(T *p, U v) { T old = *p; *p = old ^ (T)v; return old; }
template <class T, class U, class V> static inline T atomicCAS(T *p, U is, V then) {
  T old = *p;
  if (old == (T)is) *p = (T)then;
  return old;
}
static inline unsigned atomicInc(unsigned *p, unsigned top) { unsigned old = *p; *p = old >= top ? 0 : old + 1; return old; }

/* Mathematics. */
extern "C" {
float expf(float), exp2f(float), exp10f(float), expm1f(float), logf(float), log2f(float), log10f(float), log1pf(float);
float sqrtf(float), cbrtf(float), sinf(float), cosf(float), tanf(float), asinf(float), acosf(float), atanf(float);
float sinhf(float), coshf(float), tanhf(float), erff(float), erfcf(float), floorf(float), ceilf(float), roundf(float);
float rintf(float), nearbyintf(float), truncf(float), fabsf(float), lgammaf(float), tgammaf(float);
float powf(float, float), fmaxf(float, float), fminf(float, float), fmodf(float, float), atan2f(float, float);
float copysignf(float, float), hypotf(float, float), fmaf(float, float, float), ldexpf(float, int), frexpf(float, int *);
double exp(double), log(double), sqrt(double), sin(double), cos(double), tanh(double), pow(double, double), fabs(double);
double floor(double), ceil(double), fmax(double, double), fmin(double, double), fma(double, double, double), rint(double);
double erf(double), log1p(double), expm1(double), copysign(double, double), trunc(double), round(double);
int abs(int);
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
int printf(const char *, ...);
}
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)
#define isfinite(x) __builtin_isfinite(x)
#define signbit(x) __builtin_signbit(x)
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
template <class T, class U> static inline auto min(T a, U b) -> decltype(a + b) { return b < a ? b : a; }
template <class T, class U> static inline auto max(T a, U b) -> decltype(a + b) { return a < b ? b : a; }
/* Of floats CUDA's min and max are fminf and fmaxf. */
static inline float min(float a, float b) { return fminf(a, b); }
static inline float max(float a, float b) { return fmaxf(a, b); }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline float fdividef(float a, float b) { return a / b; }
static inline float __fdividef(float a, float b) { return a / b; }
static inline float __frcp_rn(float a) { return 1.0f / a; }
static inline float __frsqrt_rn(float a) { return 1.0f / sqrtf(a); }
static inline float __fsqrt_rn(float a) { return sqrtf(a); }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline float __expf(float x) { return expf(x); }
static inline float __logf(float x) { return logf(x); }
static inline float __log2f(float x) { return log2f(x); }
static inline float __powf(float x, float y) { return powf(x, y); }
static inline float __sinf(float x) { return sinf(x); }
static inline float __cosf(float x) { return cosf(x); }
static inline float __tanhf(float x) { return tanhf(x); }
static inline float __saturatef(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }
static inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
static inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
static inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
static inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
static inline long long __double_as_longlong(double x) { return __builtin_bit_cast(long long, x); }
static inline double __longlong_as_double(long long x) { return __builtin_bit_cast(double, x); }
static inline int __float2int_rn(float x) { return (int)rintf(x); }
static inline int __float2int_rz(float x) { return (int)x; }
static inline int __float2int_rd(float x) { return (int)floorf(x); }
static inline float __int2float_rn(int x) { return (float)x; }
static inline float __uint2float_rn(unsigned x) { return (float)x; }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((vauban_u64)a * b >> 32); }
static inline int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
static inline vauban_u64 __umul64hi(vauban_u64 a, vauban_u64 b) { return (vauban_u64)((unsigned __int128)a * b >> 64); }
static inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(x); }
static inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(x); }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(vauban_u64 x) { return __builtin_popcountll(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline unsigned __brev(unsigned x) {
  unsigned r = 0;
  for (int i = 0; i < 32; i++) r = r << 1 | (x >> i & 1);
  return r;
}
static inline unsigned __funnelshift_l(unsigned lo, unsigned hi, unsigned by) {
  by &= 31;
  return by == 0 ? hi : hi << by | lo >> (32 - by);
}
static inline unsigned __funnelshift_r(unsigned lo, unsigned hi, unsigned by) {
  by &= 31;
  return by == 0 ? lo : lo >> by | hi << (32 - by);
}
static inline int __dp4a(int a, int b, int c) {
  for (int i = 0; i < 4; i++) c += (signed char)(a >> 8 * i) * (signed char)(b >> 8 * i);
  return c;
}
template <class T> static inline T __ldg(const T *p) { return *p; }
template <class T> static inline T __ldcg(const T *p) { return *p; }
template <class T> static inline T __ldcs(const T *p) { return *p; }
template <class T> static inline void __stcs(T *p, T v) { *p = v; }
static inline void __trap() { __builtin_trap(); }

/* Vectors. */
#define VAUBAN_VECTORS(T, name, bytes)                                                      \
  struct __attribute__((aligned(2 * bytes))) name##2 { T x, y; };                           \
  struct name##3_ { T x, y, z; };                                                           \
  struct __attribute__((aligned(4 * bytes > 16 ? 16 : 4 * bytes))) name##4 { T x, y, z, w; }; \
  static inline name##2 make_##name##2(T x, T y) { return {x, y}; }                         \
  static inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
VAUBAN_VECTORS(float, float, 4)
VAUBAN_VECTORS(int, int, 4)
VAUBAN_VECTORS(unsigned, uint, 4)
VAUBAN_VECTORS(unsigned short, ushort, 2)
VAUBAN_VECTORS(double, double, 8)
