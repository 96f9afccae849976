package dev.vauban.natives.cuda;

import dev.vauban.natives.cuda.generated.CublasLtCalls;
import dev.vauban.natives.cuda.generated.cublasLtMatmulAlgo_t;
import dev.vauban.natives.cuda.generated.cublasLtMatmulHeuristicResult_t;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * cuBLASLt's descriptors of one product.
 *
 * <p>The library counts by columns. A matrix that lies row after row is, read by columns, its own
 * transpose, so instead of c = a b it computes c' = b' a': the operands change places, and a matrix
 * that lies in {@code COLUMNS} is the one to be transposed.
 */
final class GemmPlan implements AutoCloseable {
  /** An algorithm, and the workspace it needs. */
  record Algorithm(byte[] bytes, long workspace) {}

  private static final int ALIGNMENT = 16;

  private final CublasLt lt;
  private final GemmSpec spec;
  private final Arena arena = Arena.ofShared();
  private final List<Runnable> ends = new ArrayList<>();
  private final MemorySegment operation;
  private final MemorySegment left;
  private final MemorySegment right;
  private final MemorySegment out;

  /** alpha, which is one, and beta, which is zero. */
  private final MemorySegment factors = arena.allocate(2 * Float.BYTES, Float.BYTES);

  private final MemorySegment algorithm = arena.allocate(cublasLtMatmulAlgo_t.layout());

  GemmPlan(CublasLt lt, GemmSpec spec) {
    this.lt = lt;
    this.spec = spec;
    factors.set(ValueLayout.JAVA_FLOAT, 0, 1);
    try {
      this.operation = operation();
      // Their places changed; see above.
      this.left = layout(spec.b(), spec.k(), spec.n(), operandType());
      this.right = layout(spec.a(), spec.m(), spec.k(), operandType());
      this.out = layout(spec.c(), spec.m(), spec.n(), outType());
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private int operandType() {
    return switch (spec.type()) {
      case F32, TF32 -> CublasLtCalls.CUDA_R_32F();
      case BF16, BF16_TO_BF16 -> CublasLtCalls.CUDA_R_16BF();
    };
  }

  private int outType() {
    return spec.type() == GemmSpec.Type.BF16_TO_BF16
        ? CublasLtCalls.CUDA_R_16BF()
        : CublasLtCalls.CUDA_R_32F();
  }

  private MemorySegment operation() {
    int compute =
        spec.type() == GemmSpec.Type.TF32
            ? CublasLtCalls.CUBLAS_COMPUTE_32F_FAST_TF32()
            : CublasLtCalls.CUBLAS_COMPUTE_32F();
    Symbols symbols = lt.symbols();
    MemorySegment result = arena.allocate(ValueLayout.ADDRESS);
    lt.check(
        CublasLtCalls.cublasLtMatmulDescCreate(
            symbols, result, compute, CublasLtCalls.CUDA_R_32F()),
        "cublasLtMatmulDescCreate",
        spec);
    MemorySegment desc = result.get(ValueLayout.ADDRESS, 0);
    ends.add(() -> CublasLtCalls.cublasLtMatmulDescDestroy(symbols, desc));
    transpose(desc, CublasLtCalls.CUBLASLT_MATMUL_DESC_TRANSA(), spec.b().order());
    transpose(desc, CublasLtCalls.CUBLASLT_MATMUL_DESC_TRANSB(), spec.a().order());
    return desc;
  }

  private void transpose(MemorySegment desc, int attribute, GemmSpec.Order order) {
    MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
    value.set(
        ValueLayout.JAVA_INT,
        0,
        order == GemmSpec.Order.COLUMNS
            ? CublasLtCalls.CUBLAS_OP_T()
            : CublasLtCalls.CUBLAS_OP_N());
    lt.check(
        CublasLtCalls.cublasLtMatmulDescSetAttribute(
            lt.symbols(), desc, attribute, value, Integer.BYTES),
        "cublasLtMatmulDescSetAttribute",
        spec);
  }

  /** As it lies in memory, read by columns. */
  private MemorySegment layout(GemmSpec.Matrices at, long rows, long columns, int type) {
    boolean byRows = at.order() == GemmSpec.Order.ROWS;
    Symbols symbols = lt.symbols();
    MemorySegment result = arena.allocate(ValueLayout.ADDRESS);
    lt.check(
        CublasLtCalls.cublasLtMatrixLayoutCreate(
            symbols, result, type, byRows ? columns : rows, byRows ? rows : columns, at.leading()),
        "cublasLtMatrixLayoutCreate",
        spec);
    MemorySegment layout = result.get(ValueLayout.ADDRESS, 0);
    ends.add(() -> CublasLtCalls.cublasLtMatrixLayoutDestroy(symbols, layout));
    MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
    value.set(ValueLayout.JAVA_INT, 0, spec.batch());
    attribute(
        layout,
        CublasLtCalls.CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT(),
        value.asSlice(0, Integer.BYTES));
    value.set(ValueLayout.JAVA_LONG, 0, at.batchStride());
    attribute(layout, CublasLtCalls.CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET(), value);
    return layout;
  }

  private void attribute(MemorySegment layout, int attribute, MemorySegment value) {
    lt.check(
        CublasLtCalls.cublasLtMatrixLayoutSetAttribute(
            lt.symbols(), layout, attribute, value, value.byteSize()),
        "cublasLtMatrixLayoutSetAttribute",
        spec);
  }

  /**
   * The algorithms that the library holds for best, the first first.
   *
   * @throws CudaException if it has none
   */
  List<Algorithm> heuristics(MemorySegment handle, int most, long workspace) {
    Symbols symbols = lt.symbols();
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment result = scratch.allocate(ValueLayout.ADDRESS);
      lt.check(
          CublasLtCalls.cublasLtMatmulPreferenceCreate(symbols, result),
          "cublasLtMatmulPreferenceCreate",
          spec);
      MemorySegment preference = result.get(ValueLayout.ADDRESS, 0);
      try {
        prefer(preference, CublasLtCalls.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES(), workspace, 8);
        for (int attribute :
            new int[] {
              CublasLtCalls.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES(),
              CublasLtCalls.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES(),
              CublasLtCalls.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES(),
              CublasLtCalls.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES()
            }) {
          prefer(preference, attribute, ALIGNMENT, 4);
        }
        MemorySegment found = cublasLtMatmulHeuristicResult_t.allocateArray(most, scratch);
        MemorySegment count = scratch.allocate(ValueLayout.JAVA_INT);
        lt.check(
            CublasLtCalls.cublasLtMatmulAlgoGetHeuristic(
                symbols, handle, operation, left, right, out, out, preference, most, found, count),
            "cublasLtMatmulAlgoGetHeuristic",
            spec);
        List<Algorithm> algorithms = new ArrayList<>();
        for (int i = 0; i < count.get(ValueLayout.JAVA_INT, 0); i++) {
          MemorySegment each = cublasLtMatmulHeuristicResult_t.asSlice(found, i);
          if (cublasLtMatmulHeuristicResult_t.state(each)
              == CublasLtCalls.CUBLAS_STATUS_SUCCESS()) {
            algorithms.add(algorithm(each));
          }
        }
        if (algorithms.isEmpty()) {
          lt.check(
              CublasLtCalls.CUBLAS_STATUS_NOT_SUPPORTED(), "cublasLtMatmulAlgoGetHeuristic", spec);
        }
        return algorithms;
      } finally {
        CublasLtCalls.cublasLtMatmulPreferenceDestroy(symbols, preference);
      }
    }
  }

  private void prefer(MemorySegment preference, int attribute, long value, int bytes) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment memory = scratch.allocate(ValueLayout.JAVA_LONG);
      memory.set(ValueLayout.JAVA_LONG, 0, value); // little end first: an int is its first half
      lt.check(
          CublasLtCalls.cublasLtMatmulPreferenceSetAttribute(
              lt.symbols(), preference, attribute, memory, bytes),
          "cublasLtMatmulPreferenceSetAttribute",
          spec);
    }
  }

  private static Algorithm algorithm(MemorySegment result) {
    return new Algorithm(
        cublasLtMatmulHeuristicResult_t
            .algo(result)
            .asSlice(0, cublasLtMatmulAlgo_t.sizeof())
            .toArray(ValueLayout.JAVA_BYTE),
        cublasLtMatmulHeuristicResult_t.workspaceSize(result));
  }

  /** The workspace that a remembered algorithm needs; negative if it is not for this product. */
  long workspaceOf(byte[] bytes, MemorySegment handle) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment algo = cublasLtMatmulAlgo_t.allocate(scratch);
      MemorySegment.copy(bytes, 0, algo, ValueLayout.JAVA_BYTE, 0, bytes.length);
      MemorySegment result = cublasLtMatmulHeuristicResult_t.allocate(scratch);
      int code =
          CublasLtCalls.cublasLtMatmulAlgoCheck(
              lt.symbols(), handle, operation, left, right, out, out, algo, result);
      return code == CublasLtCalls.CUBLAS_STATUS_SUCCESS()
          ? cublasLtMatmulHeuristicResult_t.workspaceSize(result)
          : -1;
    }
  }

  /** The algorithm of the runs to come. */
  void use(Algorithm chosen) {
    MemorySegment.copy(
        chosen.bytes(), 0, algorithm, ValueLayout.JAVA_BYTE, 0, chosen.bytes().length);
  }

  void run(
      MemorySegment handle,
      long a,
      long b,
      long c,
      long workspace,
      long workspaceBytes,
      CudaStream stream) {
    if (((a | b | c) & (ALIGNMENT - 1)) != 0) {
      throw new IllegalArgumentException(
          "operands of a matrix product begin at multiples of 16 bytes; these are at %#x, %#x, %#x"
              .formatted(a, b, c));
    }
    stream.context().use();
    MemorySegment result = MemorySegment.ofAddress(c);
    lt.check(
        CublasLtCalls.cublasLtMatmul(
            lt.symbols(),
            handle,
            operation,
            factors,
            MemorySegment.ofAddress(b),
            left,
            MemorySegment.ofAddress(a),
            right,
            factors.asSlice(Float.BYTES),
            result,
            out,
            result,
            out,
            algorithm,
            MemorySegment.ofAddress(workspace),
            workspaceBytes,
            stream.handle()),
        "cublasLtMatmul",
        spec);
  }

  @Override
  public void close() {
    ends.forEach(Runnable::run);
    ends.clear();
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
