/* cuBLASLt's interface for batches of matrix products, by straight loops. */
#include <cmath>
#include <cstring>

#include "fake.h"

enum { OK = 0, NOT_SUPPORTED = 15, INVALID = 7 };
enum { R_32F = 0, R_16BF = 14, COMPUTE_32F = 68, COMPUTE_FAST_TF32 = 77 };

struct Desc {
  int compute, scale, transpose_a = 0, transpose_b = 0;
};
struct Layout {
  int type, order = 0, batch = 1;
  uint64_t rows, columns;
  int64_t leading, stride = 0;
};
struct Algo {
  uint64_t data[8];
};
struct Result {
  Algo algo;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

API size_t cublasLtGetVersion() { return 130101; }
API const char *cublasLtGetStatusName(int code) {
  return code == OK ? "CUBLAS_STATUS_SUCCESS" : code == NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED"
      : code == 3 ? "CUBLAS_STATUS_ALLOC_FAILED" : code == INVALID ? "CUBLAS_STATUS_INVALID_VALUE" : "CUBLAS_STATUS_UNKNOWN";
}
API const char *cublasLtGetStatusString(int code) { return code == OK ? "success" : "the fake library refuses"; }
API int cublasLtCreate(void **out) {
  ENTER();
  return *out = new int(1), OK;
}
API int cublasLtDestroy(int *handle) {
  ENTER();
  delete handle;
  return OK;
}
API int cublasLtMatmulDescCreate(Desc **out, int compute, int scale) {
  ENTER();
  return *out = new Desc{compute, scale}, OK;
}
API int cublasLtMatmulDescDestroy(Desc *desc) {
  ENTER();
  delete desc;
  return OK;
}
API int cublasLtMatmulDescSetAttribute(Desc *desc, int attribute, const void *value, size_t size) {
  ENTER();
  if (size != 4 || (attribute != 3 && attribute != 4)) return INVALID;
  memcpy(attribute == 3 ? &desc->transpose_a : &desc->transpose_b, value, 4);
  return OK;
}
API int cublasLtMatrixLayoutCreate(Layout **out, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  ENTER();
  if (leading < (int64_t)rows) return INVALID; /* columns lie one after another */
  *out = new Layout();
  (*out)->type = type;
  (*out)->rows = rows;
  (*out)->columns = columns;
  (*out)->leading = leading;
  return OK;
}
API int cublasLtMatrixLayoutDestroy(Layout *layout) {
  ENTER();
  delete layout;
  return OK;
}
API int cublasLtMatrixLayoutSetAttribute(Layout *layout, int attribute, const void *value, size_t size) {
  ENTER();
  if (attribute == 5 && size == 4) return memcpy(&layout->batch, value, 4), OK;
  if (attribute == 6 && size == 8) return memcpy(&layout->stride, value, 8), OK;
  return INVALID;
}
API int cublasLtMatmulPreferenceCreate(void **out) {
  ENTER();
  return *out = new int(2), OK;
}
API int cublasLtMatmulPreferenceDestroy(int *preference) {
  ENTER();
  delete preference;
  return OK;
}
API int cublasLtMatmulPreferenceSetAttribute(void *, int, const void *, size_t) {
  ENTER();
  return OK;
}

static int check(const Desc *d, const Layout *a, const Layout *b, const Layout *c) {
  if (d->compute != COMPUTE_32F && d->compute != COMPUTE_FAST_TF32) return NOT_SUPPORTED;
  bool bf16 = a->type == R_16BF && b->type == R_16BF && (c->type == R_16BF || c->type == R_32F);
  bool f32 = a->type == R_32F && b->type == R_32F && c->type == R_32F;
  if (!(bf16 && d->compute == COMPUTE_32F) && !f32) return NOT_SUPPORTED;
  if (a->batch != c->batch || b->batch != c->batch) return INVALID;
  uint64_t m = d->transpose_a ? a->columns : a->rows, ka = d->transpose_a ? a->rows : a->columns;
  uint64_t n = d->transpose_b ? b->rows : b->columns, kb = d->transpose_b ? b->columns : b->rows;
  return m == c->rows && n == c->columns && ka == kb ? OK : INVALID;
}
static void fill(Result *result, uint64_t number) {
  *result = {};
  result->algo.data[0] = 0xFA4E0000 + number;
  result->workspace = number * 1024;
}
/* Two to choose from. */
API int cublasLtMatmulAlgoGetHeuristic(void *, Desc *d, Layout *a, Layout *b, Layout *c, Layout *, void *,
    int requested, Result *results, int *returned) {
  ENTER();
  *returned = 0;
  if (int code = check(d, a, b, c)) return code;
  for (int i = 0; i < requested && i < 2; i++) fill(&results[i], ++*returned);
  return OK;
}
API int cublasLtMatmulAlgoCheck(void *, Desc *d, Layout *a, Layout *b, Layout *c, Layout *, const Algo *algo,
    Result *result) {
  ENTER();
  if (algo->data[0] < 0xFA4E0001 || algo->data[0] > 0xFA4E0002) return INVALID;
  if (int code = check(d, a, b, c)) return code;
  fill(result, algo->data[0] - 0xFA4E0000);
  return OK;
}

static float read(const void *memory, int64_t at, int type) {
  if (type == R_32F) return ((const float *)memory)[at];
  uint32_t bits = (uint32_t)((const uint16_t *)memory)[at] << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}
static void write(void *memory, int64_t at, int type, float value) {
  if (type == R_32F) {
    ((float *)memory)[at] = value;
    return;
  }
  uint32_t bits;
  memcpy(&bits, &value, 4);
  ((uint16_t *)memory)[at] = std::isnan(value) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
/* Ten bits of mantissa, to the nearest. */
static float tf32(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  if ((bits & 0x7f800000) != 0x7f800000) bits = (bits + 0x1000) & ~0x1fffu;
  memcpy(&value, &bits, 4);
  return value;
}
static uint64_t extent(const Layout &l) {
  uint64_t one = (l.columns - 1) * l.leading + l.rows;
  return ((l.batch - 1) * l.stride + one) * (l.type == R_32F ? 4 : 2);
}

API int cublasLtMatmul(void *, Desc *desc, const float *alpha, const void *a, Layout *la, const void *b,
    Layout *lb, const float *beta, const void *c, Layout *lc, void *d, Layout *ld, const Algo *algo,
    void *workspace, size_t workspace_size, void *stream) {
  ENTER();
  if (int code = check(desc, la, lb, ld)) return code;
  if (algo == nullptr || c != d || lc->type != ld->type) return INVALID;
  if ((algo->data[0] - 0xFA4E0000) * 1024 > workspace_size || workspace == nullptr) return INVALID;
  if (!fake_on_device((uint64_t)a, extent(*la)) || !fake_on_device((uint64_t)b, extent(*lb))
      || !fake_on_device((uint64_t)d, extent(*ld)))
    return INVALID;
  /* Descriptors and factors are read now, not when the work is done. */
  Desc desc_ = *desc;
  Layout a_ = *la, b_ = *lb, d_ = *ld;
  float alpha_ = *alpha, beta_ = *beta;
  return fake_submit(stream, [=] {
    int64_t k = desc_.transpose_a ? a_.rows : a_.columns;
    bool round = desc_.compute == COMPUTE_FAST_TF32;
    for (int i = 0; i < d_.batch; i++)
      for (int64_t column = 0; column < (int64_t)d_.columns; column++)
        for (int64_t row = 0; row < (int64_t)d_.rows; row++) {
          float sum = 0;
          for (int64_t j = 0; j < k; j++) {
            float x = read(a, i * a_.stride + (desc_.transpose_a ? row * a_.leading + j : j * a_.leading + row), a_.type);
            float y = read(b, i * b_.stride + (desc_.transpose_b ? j * b_.leading + column : column * b_.leading + j), b_.type);
            sum += round ? tf32(x) * tf32(y) : x * y;
          }
          int64_t at = i * d_.stride + column * d_.leading + row;
          float old = beta_ == 0 ? 0 : beta_ * read(d, at, d_.type);
          write(d, at, d_.type, alpha_ * sum + old);
        }
    return (CUresult)SUCCESS;
  });
}
