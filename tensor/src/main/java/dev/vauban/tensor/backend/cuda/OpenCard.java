package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.CardChoices;
import dev.vauban.natives.cuda.CudaContext;
import dev.vauban.natives.cuda.CudaException;
import dev.vauban.natives.cuda.CudaStream;
import dev.vauban.natives.cuda.Gemms;
import dev.vauban.tensor.ClosedException;
import java.util.Optional;

/** What compiling and running on one card needs. Plans of one card take turns. */
final class OpenCard implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(OpenCard.class.getName());

  private final CudaContext context;
  private final CudaStream stream;
  private final CudaStream up;
  private final CudaStream down;
  private final KernelLibrary kernels;
  private final Optional<Gemms> products;
  private final Choices choices;
  private final MeasuredWays ways;
  private boolean closed;

  OpenCard(
      CudaContext context,
      KernelLibrary.Compiler compiler,
      Optional<Gemms> products,
      Choices choices,
      CardChoices measured) {
    this.context = context;
    this.stream = context.stream();
    this.up = context.stream();
    this.down = context.stream();
    this.kernels = new KernelLibrary(context, compiler);
    this.products = products;
    this.choices = choices;
    this.ways = new MeasuredWays(this, measured);
  }

  CudaContext context() {
    return context;
  }

  /** Where everything is computed: runs of all plans, one after the other. */
  CudaStream stream() {
    return stream;
  }

  /** Where inputs are copied to the card while it computes. */
  CudaStream up() {
    return up;
  }

  /** Where results are copied from the card while it computes. */
  CudaStream down() {
    return down;
  }

  /** Waits for all three streams. */
  void synchronize() {
    up.synchronize();
    stream.synchronize();
    down.synchronize();
  }

  KernelLibrary kernels() {
    return kernels;
  }

  /** cuBLASLt's products, where the library is. */
  Optional<Gemms> products() {
    return products;
  }

  Choices choices() {
    return choices;
  }

  /** Which way convolutions are quicker here. */
  MeasuredWays ways() {
    return ways;
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /**
   * Refuses to work for a closed device.
   *
   * @throws ClosedException if the device is closed
   */
  synchronized void check() {
    if (closed) {
      throw new ClosedException("the device is closed");
    }
  }

  /** Waits for the plan that runs now, if any. Closing again does nothing. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      try {
        synchronize(); // runs that were started and not finished
      } catch (CudaException e) {
        LOG.log(System.Logger.Level.WARNING, "the card failed: {0}", e.getMessage());
      }
      products.ifPresent(Gemms::close);
      context.close();
    }
  }
}
