package dev.vauban.natives.onednn;

import java.lang.ref.Reference;

/**
 * One operation of {@link OneDnn}, compiled for fixed shapes, ready to run on the caller's memory.
 *
 * <p>A primitive belongs to one worker at a time: it remembers the addresses of its last run. Make
 * one per worker; those of equal specifications share the compiled code, so a further one costs a
 * few microseconds. It runs on the calling thread alone, and running allocates nothing on the heap
 * and no working memory off it; oneDNN itself makes and deletes about nine small objects in each
 * call, the tables of its arguments.
 */
public final class Primitive implements AutoCloseable {
  private final OneDnn owner;
  private final Object key;
  private final Program program;
  private final Binding main;
  private final Binding repack;
  private boolean closed;

  Primitive(OneDnn owner, Object key, Program program) {
    this.owner = owner;
    this.key = key;
    this.program = program;
    this.main = new Binding(program.main(), owner.engine(), program.text());
    this.repack =
        program.repack() == null
            ? null
            : new Binding(program.repack(), owner.engine(), "the weights of " + program.text());
  }

  /**
   * Bytes of scratch memory that a run needs; may be 0. Its content need not be kept between runs,
   * and runs that do not overlap in time may share it.
   */
  public long scratchBytes() {
    return program.scratchBytes();
  }

  /** Multiplications and additions of one run, those with padding included. */
  public long flops() {
    return program.flops();
  }

  /** oneDNN's name of the code it chose, such as {@code brgconv:avx512_core}. */
  public String implementation() {
    return program.main().implementation();
  }

  /** The operation, its shapes, and the code that oneDNN chose, in one line. */
  public String describe() {
    return program.describe();
  }

  /**
   * Runs the operation, and returns when {@code out} is complete. What the operands are is said by
   * the method of {@link OneDnn} that made this primitive.
   *
   * <p>The addresses are native ones. They are not checked beyond zero and alignment: memory that
   * is too small, or freed, is corrupted or brings the JVM down, as with any native call.
   *
   * @param stream this worker's stream, from {@link OneDnn#newStream}
   * @param left address of the first operand
   * @param right address of the second operand
   * @param out address of the result, which is overwritten
   * @param scratch address of {@link #scratchBytes} bytes, a multiple of 64; ignored if that is 0
   * @throws IllegalArgumentException if an address is 0 or the scratch memory is not aligned
   * @throws IllegalStateException if this primitive is closed
   * @throws dev.vauban.natives.NativeException if oneDNN reports an error
   */
  public void run(long stream, long left, long right, long out, long scratch) {
    if (closed) {
      throw new IllegalStateException("this primitive is closed: " + program.text());
    }
    if (stream == 0 || left == 0 || right == 0 || out == 0) {
      throw zeroAddress(stream, left, right, out);
    }
    if (program.scratchBytes() > 0 && (scratch == 0 || scratch % Program.ALIGNMENT != 0)) {
      throw badScratch(scratch);
    }
    owner.useOneThread();
    switch (program.packing()) {
      case NONE -> runMain(stream, left, right, out, scratch);
      case BEFORE -> {
        long packed = scratch + program.packedOffset();
        runRepack(stream, right, packed, scratch);
        runMain(stream, left, packed, out, scratch);
      }
      case AFTER -> {
        long packed = scratch + program.packedOffset();
        runMain(stream, left, right, packed, scratch);
        runRepack(stream, packed, out, scratch);
      }
    }
    // The argument lists are freed with this object, which the calls see only as numbers.
    Reference.reachabilityFence(this);
  }

  private void runMain(long stream, long left, long right, long out, long scratch) {
    main.bind(0, left);
    main.bind(1, right);
    main.bind(2, out);
    main.bindScratchpad(scratch);
    main.execute(stream);
  }

  private void runRepack(long stream, long from, long to, long scratch) {
    repack.bind(0, from);
    repack.bind(1, to);
    repack.bindScratchpad(scratch);
    repack.execute(stream);
  }

  private IllegalArgumentException zeroAddress(long stream, long left, long right, long out) {
    String name = stream == 0 ? "stream" : left == 0 ? "left" : right == 0 ? "right" : "out";
    return new IllegalArgumentException("the address " + name + " is 0 in " + program.text());
  }

  private IllegalArgumentException badScratch(long scratch) {
    return new IllegalArgumentException(
        "the scratch address 0x"
            + Long.toHexString(scratch)
            + " must be that of "
            + program.scratchBytes()
            + " bytes, aligned to "
            + Program.ALIGNMENT
            + ", in "
            + program.text());
  }

  /** Frees this worker's part, and the compiled code with its last user. Never during a run. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      main.close();
      if (repack != null) {
        repack.close();
      }
      owner.release(key);
    }
  }

  @Override
  public String toString() {
    return describe();
  }
}
