package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;

/**
 * Batched matrix product C[b, M, N] (+)= A[b, M, K] B[b, K, N] in f32, each operand optionally
 * stored transposed.
 *
 * <p>Blocked as in Goto and van de Geijn (2008): a block of B is packed into panels as wide as a
 * register tile, a block of A stays in the second-level cache, and {@link Tile} does the rest. What
 * is already in a good layout is not packed: A is read in place unless its stride would make rows
 * collide in the cache, B unless it is reused often. Every element of C is reduced in the same
 * order whatever the vector width and whatever M, N and the batch are.
 */
public final class Gemm {
  private static final int KC = 256; // k per block: a panel of B is then 32 KiB
  private static final int MC = 120; // rows of A per block: whole tiles
  private static final int NC = 1024; // columns of B per block
  private static final int REUSE = 64; // rows of C from which packing a row-major B pays

  /** How an operand of logical shape [rows, columns] lies in memory. */
  public enum Form {
    /** Row-major [rows, columns]. */
    PLAIN,
    /** Row-major [columns, rows]. */
    TRANSPOSED
  }

  /**
   * Layout of one operand.
   *
   * @param form plain or transposed
   * @param stride elements from one stored row to the next, at least the stored row's length
   * @param batchStride elements from one matrix of the batch to the next; 0 shares one matrix
   */
  public record Operand(Form form, long stride, long batchStride) {}

  private final int batch;
  private final int m;
  private final int n;
  private final int k;
  private final Operand a;
  private final Operand b;
  private final Operand c;
  private final Update update;
  private final boolean packA;
  private final boolean packB;
  private final long packedB;
  private final long packedA;
  private final long kStrideA; // bytes from one row to the next of a packed block of A

  /**
   * A product of strided operands.
   *
   * @param batch number of products, at least 0
   * @param m rows of A and C
   * @param n columns of B and C
   * @param k columns of A, rows of B; with 0 the product is zero
   * @param a layout of A
   * @param b layout of B
   * @param c layout of C; must be {@code PLAIN} and, for a batch above 1, must not overlap itself
   * @param update whether C is overwritten or added to
   * @throws IllegalArgumentException if a size is negative or a stride is too short
   */
  public Gemm(int batch, int m, int n, int k, Operand a, Operand b, Operand c, Update update) {
    if (batch < 0 || m < 0 || n < 0 || k < 0) {
      throw new IllegalArgumentException(
          "Gemm: sizes must not be negative: batch "
              + batch
              + ", m "
              + m
              + ", n "
              + n
              + ", k "
              + k);
    }
    check("A", a, m, k);
    check("B", b, k, n);
    check("C", c, m, n);
    if (c.form != Form.PLAIN) {
      throw new IllegalArgumentException("Gemm: C must be PLAIN; swap A and B to transpose it");
    }
    if (batch > 1 && c.batchStride < (m == 0 ? 0 : (m - 1) * c.stride + n)) {
      throw new IllegalArgumentException(
          "Gemm: the batch stride of C, " + c.batchStride + ", makes its matrices overlap");
    }
    this.batch = batch;
    this.m = m;
    this.n = n;
    this.k = k;
    this.a = a;
    this.b = b;
    this.c = c;
    this.update = update;
    // Rows (or k steps) at multiples of 1 KiB share a few cache sets; copying spreads them.
    boolean collides = a.stride * 4 % 1024 == 0 || a.stride > 1024;
    this.packA = n > Tile.COLUMNS && m >= Tile.ROWS && collides;
    this.packB = b.form == Form.TRANSPOSED || m >= REUSE;
    int kc = Math.min(k, KC);
    this.kStrideA = 4L * (a.form == Form.PLAIN ? (kc | 15) + 1 + 16 : MC);
    this.packedA = packA ? align(a.form == Form.PLAIN ? MC * kStrideA : kc * kStrideA) : 0;
    long width = (Math.min(n, NC) + Tile.COLUMNS - 1) / Tile.COLUMNS * Tile.COLUMNS;
    this.packedB = align(kc * width * 4);
  }

  /** A product of contiguous matrices. */
  public static Gemm of(int batch, int m, int n, int k, Form a, Form b, Update update) {
    return new Gemm(
        batch,
        m,
        n,
        k,
        new Operand(a, a == Form.PLAIN ? k : m, (long) m * k),
        new Operand(b, b == Form.PLAIN ? n : k, (long) k * n),
        new Operand(Form.PLAIN, n, (long) m * n),
        update);
  }

  private static void check(String name, Operand x, int rows, int columns) {
    int length = x.form == Form.PLAIN ? columns : rows;
    if (x.stride < length || x.batchStride < 0) {
      throw new IllegalArgumentException(
          "Gemm: "
              + name
              + " has row stride "
              + x.stride
              + " and batch stride "
              + x.batchStride
              + "; the row stride must be at least "
              + length
              + " and the batch stride at least 0");
    }
  }

  /** Bytes that {@code run} needs as scratch. */
  public long scratchBytes() {
    return Tile.SCRATCH_BYTES + packedA + packedB;
  }

  /** Floating-point operations of one run. */
  public double flops() {
    return 2.0 * batch * m * n * k;
  }

  /**
   * Runs the product. C must not overlap A or B.
   *
   * @param aAddress address of A
   * @param bAddress address of B
   * @param cAddress address of C
   * @param scratch address of {@link #scratchBytes} bytes, 64-byte aligned for speed
   */
  public void run(long aAddress, long bAddress, long cAddress, long scratch) {
    if (m == 0 || n == 0) {
      return;
    }
    for (int i = 0; i < batch; i++) {
      multiply(
          aAddress + 4 * i * a.batchStride,
          bAddress + 4 * i * b.batchStride,
          cAddress + 4 * i * c.batchStride,
          scratch);
    }
  }

  private void multiply(long a0, long b0, long c0, long scratch) {
    if (k == 0) {
      if (update == Update.SET) {
        for (int i = 0; i < m; i++) {
          Memory.zero(c0 + 4 * i * c.stride, 4L * n);
        }
      }
      return;
    }
    long aBlock = scratch + Tile.SCRATCH_BYTES;
    long bBlock = aBlock + packedA;
    long ars = a.form == Form.PLAIN ? 4 * a.stride : 4;
    long aks = a.form == Form.PLAIN ? 4 : 4 * a.stride;
    for (int jc = 0; jc < n; jc += NC) {
      int nc = Math.min(NC, n - jc);
      for (int kc = 0; kc < k; kc += KC) {
        int depth = Math.min(KC, k - kc);
        Update how = kc == 0 ? update : Update.ADD;
        packB(b0, kc, depth, jc, nc, bBlock);
        for (int ic = 0; ic < m; ic += MC) {
          int mc = Math.min(MC, m - ic);
          long ai = a0 + ic * ars + kc * aks;
          long ci = c0 + 4 * (ic * c.stride + jc);
          if (packA) {
            packA(ai, mc, depth, aBlock);
            if (a.form == Form.PLAIN) {
              block(aBlock, kStrideA, 4, b0, bBlock, kc, jc, mc, nc, depth, ci, how, scratch);
            } else {
              block(aBlock, 4, kStrideA, b0, bBlock, kc, jc, mc, nc, depth, ci, how, scratch);
            }
          } else {
            block(ai, ars, aks, b0, bBlock, kc, jc, mc, nc, depth, ci, how, scratch);
          }
        }
      }
    }
  }

  /** C[mc, nc] (+)= A[mc, depth] B[depth, nc], panel by panel, tile by tile. */
  private void block(
      long ai,
      long ars,
      long aks,
      long b0,
      long bBlock,
      int kc,
      int jc,
      int mc,
      int nc,
      int depth,
      long ci,
      Update how,
      long scratch) {
    for (int j = 0; j < nc; j += Tile.COLUMNS) {
      int nr = Math.min(Tile.COLUMNS, nc - j);
      boolean packed = packB || nr < Tile.COLUMNS;
      long bj = packed ? bBlock + 4L * j * depth : b0 + 4 * (kc * b.stride + jc + j);
      long bs = packed ? 4L * Tile.panelWidth(nr) : 4 * b.stride;
      Tile.run(ai, ars, aks, bj, bs, depth, ci + 4L * j, 4 * c.stride, mc, nr, how, scratch);
    }
  }

  private void packB(long b0, int kc, int depth, int jc, int nc, long to) {
    for (int j = 0; j < nc; j += Tile.COLUMNS) {
      int nr = Math.min(Tile.COLUMNS, nc - j);
      long panel = to + 4L * j * depth;
      if (b.form == Form.TRANSPOSED) {
        Panels.transposed(b0 + 4 * ((jc + j) * b.stride + kc), 4 * b.stride, depth, nr, panel);
      } else if (packB || nr < Tile.COLUMNS) {
        Panels.plain(b0 + 4 * (kc * b.stride + jc + j), 4 * b.stride, depth, nr, panel);
      }
    }
  }

  private void packA(long from, int mc, int depth, long to) {
    int rows = a.form == Form.PLAIN ? mc : depth;
    long bytes = 4L * (a.form == Form.PLAIN ? depth : mc);
    for (int i = 0; i < rows; i++) {
      Memory.copy(from + 4 * i * a.stride, to + i * kStrideA, bytes);
    }
  }
}
