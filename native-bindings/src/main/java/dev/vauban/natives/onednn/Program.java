package dev.vauban.natives.onednn;

import dev.vauban.natives.onednn.generated.Dnnl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A compiled operation, shared by all {@link Primitive}s of the same specification: its kernel and,
 * where oneDNN's fastest code wants the weights in a layout of its own, the kernel that repacks
 * them.
 *
 * <p>The caller's scratch memory holds, from its start, the scratchpad (of whichever kernel runs)
 * and then the repacked weights.
 *
 * @param owner frees the native objects
 * @param main the operation
 * @param repack weights between the caller's layout and the kernel's; null if they agree
 * @param packing when {@code repack} runs
 * @param packedOffset byte offset of the repacked weights in the scratch memory
 * @param scratchBytes size of the scratch memory
 * @param flops multiplications and additions
 * @param text the operation and its shapes
 */
record Program(
    Kernel.Owner owner,
    Kernel main,
    Kernel repack,
    Packing packing,
    long packedOffset,
    long scratchBytes,
    long flops,
    String text) {

  /** Cache lines, and the widest vectors. */
  static final int ALIGNMENT = 64;

  /** Where repacking comes. */
  enum Packing {
    NONE,
    BEFORE,
    AFTER
  }

  /** The three passes of a convolution. */
  enum Pass {
    FORWARD("conv forward"),
    BACKWARD_DATA("conv backward data"),
    BACKWARD_WEIGHTS("conv backward weights");

    private final String text;

    Pass(String text) {
      this.text = text;
    }
  }

  String describe() {
    String repacked =
        switch (packing) {
          case NONE -> "";
          case BEFORE -> ", weights repacked before";
          case AFTER -> ", weights repacked after";
        };
    return text + " [" + main.implementation() + repacked + "]";
  }

  static Program convolution(MemorySegment engine, Pass pass, ConvSpec s) {
    String text = pass.text + " " + s;
    Kernel.Owner owner = new Kernel.Owner();
    try (Arena arena = Arena.ofConfined()) {
      int tag = s.groups() == 1 ? Dnnl.dnnl_hwio() : Dnnl.dnnl_hwigo();
      long[] wDims = weightDims(s);
      MemorySegment x = nhwc(owner, s.batch(), s.inputs(), s.height(), s.width(), s.xType(), text);
      MemorySegment y =
          nhwc(owner, s.batch(), s.outputs(), s.outHeight(), s.outWidth(), s.yType(), text);
      MemorySegment plain = tagged(owner, wDims, s.wType(), tag, text);
      MemorySegment any = tagged(owner, wDims, s.wType(), Dnnl.dnnl_format_tag_any(), text);
      MemorySegment strides = dims(arena, s.strideH(), s.strideW());
      // oneDNN counts the gaps between kernel elements, not the steps.
      MemorySegment dilates = dims(arena, s.dilationH() - 1, s.dilationW() - 1);
      MemorySegment before = dims(arena, s.padTop(), s.padLeft());
      MemorySegment after = dims(arena, s.padBottom(), s.padRight());
      MemorySegment none = MemorySegment.NULL;
      MemorySegment attributes = attributes(owner, text);
      int direct = Dnnl.dnnl_convolution_direct();
      MemorySegment descriptor =
          switch (pass) {
            case FORWARD ->
                Kernel.create(
                    out ->
                        Dnnl.dnnl_convolution_forward_primitive_desc_create(
                            out,
                            engine,
                            Dnnl.dnnl_forward_training(),
                            direct,
                            x,
                            any,
                            none,
                            y,
                            strides,
                            dilates,
                            before,
                            after,
                            attributes),
                    "dnnl_convolution_forward_primitive_desc_create",
                    text);
            case BACKWARD_DATA ->
                Kernel.create(
                    out ->
                        Dnnl.dnnl_convolution_backward_data_primitive_desc_create(
                            out,
                            engine,
                            direct,
                            x,
                            any,
                            y,
                            strides,
                            dilates,
                            before,
                            after,
                            none,
                            attributes),
                    "dnnl_convolution_backward_data_primitive_desc_create",
                    text);
            case BACKWARD_WEIGHTS ->
                Kernel.create(
                    out ->
                        Dnnl.dnnl_convolution_backward_weights_primitive_desc_create(
                            out,
                            engine,
                            direct,
                            x,
                            any,
                            none,
                            y,
                            strides,
                            dilates,
                            before,
                            after,
                            none,
                            attributes),
                    "dnnl_convolution_backward_weights_primitive_desc_create",
                    text);
          };
      boolean gradient = pass == Pass.BACKWARD_WEIGHTS;
      MemorySegment chosen =
          Dnnl.dnnl_primitive_desc_query_md(
              descriptor,
              gradient ? Dnnl.dnnl_query_diff_weights_md() : Dnnl.dnnl_query_weights_md(),
              0);
      // In the order of Primitive.run: left, right, out.
      int[] slots =
          switch (pass) {
            case FORWARD ->
                new int[] {Dnnl.DNNL_ARG_SRC(), Dnnl.DNNL_ARG_WEIGHTS(), Dnnl.DNNL_ARG_DST()};
            case BACKWARD_DATA ->
                new int[] {
                  Dnnl.DNNL_ARG_DIFF_DST(), Dnnl.DNNL_ARG_WEIGHTS(), Dnnl.DNNL_ARG_DIFF_SRC()
                };
            case BACKWARD_WEIGHTS ->
                new int[] {
                  Dnnl.DNNL_ARG_SRC(), Dnnl.DNNL_ARG_DIFF_DST(), Dnnl.DNNL_ARG_DIFF_WEIGHTS()
                };
          };
      MemorySegment[] layouts =
          switch (pass) {
            case FORWARD -> new MemorySegment[] {x, chosen, y};
            case BACKWARD_DATA -> new MemorySegment[] {y, chosen, x};
            case BACKWARD_WEIGHTS -> new MemorySegment[] {x, y, chosen};
          };
      Kernel main = Kernel.compile(owner, descriptor, slots, layouts, text);
      if (Dnnl.dnnl_memory_desc_equal(chosen, plain) != 0) {
        return new Program(
            owner, main, null, Packing.NONE, 0, main.scratchpadBytes(), s.flops(), text);
      }
      Kernel repack =
          gradient
              ? reorder(owner, engine, chosen, plain, attributes, text)
              : reorder(owner, engine, plain, chosen, attributes, text);
      long offset = align(Math.max(main.scratchpadBytes(), repack.scratchpadBytes()));
      return new Program(
          owner,
          main,
          repack,
          gradient ? Packing.AFTER : Packing.BEFORE,
          offset,
          offset + align(Dnnl.dnnl_memory_desc_get_size(chosen)),
          s.flops(),
          text);
    } catch (RuntimeException | Error e) {
      owner.close();
      throw e;
    }
  }

  static Program matmul(MemorySegment engine, MatmulSpec spec) {
    String text = "matmul " + spec;
    // oneDNN's fast code writes rows. Columns of c are rows of its transpose: c' = b' * a'.
    boolean swapped = spec.c().columnStride() != 1 && spec.c().rowStride() == 1;
    MatmulSpec s = swapped ? spec.transposed() : spec;
    Kernel.Owner owner = new Kernel.Owner();
    try {
      MemorySegment a = matrices(owner, s.batch(), s.rows(), s.inner(), s.a(), text);
      MemorySegment b = matrices(owner, s.batch(), s.inner(), s.columns(), s.b(), text);
      MemorySegment c = matrices(owner, s.batch(), s.rows(), s.columns(), s.c(), text);
      MemorySegment attributes = attributes(owner, text);
      MemorySegment descriptor =
          Kernel.create(
              out ->
                  Dnnl.dnnl_matmul_primitive_desc_create(
                      out, engine, a, b, MemorySegment.NULL, c, attributes),
              "dnnl_matmul_primitive_desc_create",
              text);
      int left = Dnnl.DNNL_ARG_SRC();
      int right = Dnnl.DNNL_ARG_WEIGHTS();
      int out = Dnnl.DNNL_ARG_DST();
      int[] slots = swapped ? new int[] {right, left, out} : new int[] {left, right, out};
      MemorySegment[] layouts =
          swapped ? new MemorySegment[] {b, a, c} : new MemorySegment[] {a, b, c};
      Kernel main = Kernel.compile(owner, descriptor, slots, layouts, text);
      return new Program(
          owner, main, null, Packing.NONE, 0, main.scratchpadBytes(), s.flops(), text);
    } catch (RuntimeException | Error e) {
      owner.close();
      throw e;
    }
  }

  private static Kernel reorder(
      Kernel.Owner owner,
      MemorySegment engine,
      MemorySegment from,
      MemorySegment to,
      MemorySegment attributes,
      String text) {
    String subject = "the weights of " + text;
    MemorySegment descriptor =
        Kernel.create(
            out ->
                Dnnl.dnnl_reorder_primitive_desc_create(out, from, engine, to, engine, attributes),
            "dnnl_reorder_primitive_desc_create",
            subject);
    int[] slots = {Dnnl.DNNL_ARG_FROM(), Dnnl.DNNL_ARG_TO()};
    return Kernel.compile(owner, descriptor, slots, new MemorySegment[] {from, to}, subject);
  }

  /**
   * The scratchpad is the caller's, so that kernels can be shared by threads and never allocate.
   */
  private static MemorySegment attributes(Kernel.Owner owner, String text) {
    MemorySegment attributes =
        Kernel.create(Dnnl::dnnl_primitive_attr_create, "dnnl_primitive_attr_create", text);
    owner.add(() -> Dnnl.dnnl_primitive_attr_destroy(attributes));
    Calls.check(
        Dnnl.dnnl_primitive_attr_set_scratchpad_mode(attributes, Dnnl.dnnl_scratchpad_mode_user()),
        "dnnl_primitive_attr_set_scratchpad_mode",
        text);
    return attributes;
  }

  /** Logical order is always [(groups,) O, I, R, S], whatever the order in memory. */
  private static long[] weightDims(ConvSpec s) {
    long inputs = s.inputs() / s.groups();
    return s.groups() == 1
        ? new long[] {s.outputs(), inputs, s.kernelHeight(), s.kernelWidth()}
        : new long[] {
          s.groups(), s.outputs() / s.groups(), inputs, s.kernelHeight(), s.kernelWidth()
        };
  }

  private static MemorySegment nhwc(
      Kernel.Owner owner, int n, int c, int h, int w, DataType type, String text) {
    return tagged(owner, new long[] {n, c, h, w}, type, Dnnl.dnnl_nhwc(), text);
  }

  private static MemorySegment tagged(
      Kernel.Owner owner, long[] sizes, DataType type, int tag, String text) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment dims = dims(arena, sizes);
      return owned(
          owner,
          Kernel.create(
              out ->
                  Dnnl.dnnl_memory_desc_create_with_tag(out, sizes.length, dims, type.code(), tag),
              "dnnl_memory_desc_create_with_tag",
              text));
    }
  }

  /** One matrix is 2-dimensional for oneDNN, which has faster code for that; a batch is 3. */
  private static MemorySegment matrices(
      Kernel.Owner owner, int batch, int rows, int columns, MatmulSpec.Layout l, String text) {
    // A batch stride of 0 is oneDNN's broadcast: a batch of one.
    long matrices = l.batchStride() == 0 ? 1 : batch;
    long apart = l.batchStride() == 0 ? (long) rows * columns : l.batchStride();
    long[] sizes = batch == 1 ? new long[] {rows, columns} : new long[] {matrices, rows, columns};
    long[] steps =
        batch == 1
            ? new long[] {l.rowStride(), l.columnStride()}
            : new long[] {apart, l.rowStride(), l.columnStride()};
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment dims = dims(arena, sizes);
      MemorySegment strides = dims(arena, steps);
      return owned(
          owner,
          Kernel.create(
              out ->
                  Dnnl.dnnl_memory_desc_create_with_strides(
                      out, sizes.length, dims, l.type().code(), strides),
              "dnnl_memory_desc_create_with_strides",
              text));
    }
  }

  private static MemorySegment owned(Kernel.Owner owner, MemorySegment descriptor) {
    owner.add(() -> Dnnl.dnnl_memory_desc_destroy(descriptor));
    return descriptor;
  }

  /** A {@code dnnl_dims_t}: twelve longs, of which oneDNN reads as many as there are dimensions. */
  private static MemorySegment dims(Arena arena, long... values) {
    MemorySegment dims = arena.allocate(12 * Long.BYTES, Long.BYTES);
    for (int i = 0; i < values.length; i++) {
      dims.set(ValueLayout.JAVA_LONG, (long) i * Long.BYTES, values[i]);
    }
    return dims;
  }

  private static long align(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
