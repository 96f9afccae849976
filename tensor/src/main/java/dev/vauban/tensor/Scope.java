package dev.vauban.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Owns tensors: closing a scope frees the memory of every tensor made in it. Using a tensor after
 * that is a {@link ClosedException}. A scope that is never closed is reported in the log with the
 * line that opened it when it is collected.
 */
public final class Scope implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final long ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();
  private final String opened = SourceLine.current();
  private final AtomicBoolean closed = new AtomicBoolean();

  private Scope() {
    AtomicBoolean flag = closed;
    Arena memory = arena;
    String line = opened;
    CLEANER.register(
        this,
        () -> {
          if (flag.compareAndSet(false, true)) {
            System.getLogger(Scope.class.getName())
                .log(
                    System.Logger.Level.WARNING, "a scope opened at " + line + " was never closed");
            memory.close();
          }
        });
  }

  /** A new scope. */
  public static Scope open() {
    return new Scope();
  }

  /** A tensor of zeros. */
  public Tensor tensor(Type type) {
    return new Tensor(this, type, allocate(type.bytes()));
  }

  /** Zeroed memory, aligned to 64 bytes, that lives as long as this scope. */
  public MemorySegment allocate(long bytes) {
    check();
    return arena.allocate(Math.max(bytes, 1), ALIGNMENT);
  }

  /** A tensor of zeros for each leaf. */
  public Tree<Tensor> tensors(Tree<Type> types) {
    return types.map(this::tensor);
  }

  /** A tensor of the same type and values for each leaf. */
  public Tree<Tensor> copies(Tree<Tensor> tensors) {
    return tensors.map(t -> tensor(t.type()).copyFrom(t));
  }

  /** An F32 tensor with these values in row-major order. */
  public Tensor floats(Shape shape, float... values) {
    return tensor(new Type(DType.F32, shape)).set(values);
  }

  /** An I32 tensor with these values in row-major order. */
  public Tensor ints(Shape shape, int... values) {
    return tensor(new Type(DType.I32, shape)).set(values);
  }

  /** A key as a tensor I32 [2]. */
  public Tensor key(Key key) {
    return ints(Shape.of(2), key.k0(), key.k1());
  }

  /** True until {@link #close}. */
  public boolean isOpen() {
    return !closed.get();
  }

  void check() {
    if (closed.get()) {
      throw new ClosedException("the scope opened at " + opened + " is closed");
    }
  }

  /** Frees every tensor of this scope. Closing again does nothing. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      arena.close();
    }
  }
}
