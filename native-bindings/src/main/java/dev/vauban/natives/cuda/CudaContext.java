package dev.vauban.natives.cuda;

import dev.vauban.natives.cuda.generated.CudaDriverCalls;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One opened card: its memory, modules, streams. May be used from any thread. Closing it frees
 * whatever was made from it and not closed before.
 *
 * <p>It is the device's primary context, which other CUDA code in the process (a Python
 * interpreter, say) shares.
 */
public final class CudaContext implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  /** The card's memory now, in bytes. */
  public record MemoryInfo(long free, long total) {}

  private final CudaDriver driver;
  private final CudaDriver.Card card;
  private final int device;
  private final MemorySegment handle;

  /** What is to be freed at the end, by what was made; guarded by itself. */
  private final Map<Object, Runnable> open = new LinkedHashMap<>();

  private boolean closed;

  CudaContext(CudaDriver driver, CudaDriver.Card card) {
    this.driver = driver;
    this.card = card;
    this.device = driver.device(card.ordinal());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      driver.check(
          CudaDriverCalls.cuDevicePrimaryCtxRetain(driver.symbols(), out, device),
          "cuDevicePrimaryCtxRetain",
          card);
      this.handle = out.get(ValueLayout.ADDRESS, 0);
    }
  }

  /** The driver it was opened with. */
  public CudaDriver driver() {
    return driver;
  }

  /** The card. */
  public CudaDriver.Card card() {
    return card;
  }

  /**
   * Device memory, aligned to 256 bytes, contents undefined.
   *
   * @param bytes how much, 1 or more
   * @param what what it is for, as it should stand in the message when it is too much, including
   *     what was planned: {@code "the slab of a plan (3.2 GiB planned, 1.1 GiB of it inputs)"}
   * @return its address on the card
   * @throws CudaException if there is not so much; the message says how much was asked and is free
   */
  public long allocate(long bytes, String what) {
    if (bytes < 1) {
      throw new IllegalArgumentException("device memory of " + bytes + " bytes for " + what);
    }
    Symbols symbols = use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      int code = CudaDriverCalls.cuMemAlloc_v2(symbols, out, bytes);
      if (code == CudaDriverCalls.CUDA_ERROR_OUT_OF_MEMORY()) {
        throw outOfMemory(bytes, what);
      }
      driver.check(code, "cuMemAlloc_v2", Loading.bytes(bytes) + " for " + what + " on " + card);
      long address = out.get(ValueLayout.JAVA_LONG, 0);
      keep(
          new Memory(address),
          () -> check(CudaDriverCalls.cuMemFree_v2(symbols, address), "cuMemFree_v2", "memory"));
      return address;
    }
  }

  private CudaException outOfMemory(long bytes, String what) {
    MemoryInfo memory = memoryInfo();
    int code = CudaDriverCalls.CUDA_ERROR_OUT_OF_MEMORY();
    return new CudaException(
        "cuMemAlloc_v2",
        code,
        driver.name(code),
        true,
        "cuMemAlloc_v2 returned %s on %s: %s were asked for %s; %s of %s are free"
            .formatted(
                driver.text(code),
                card,
                Loading.bytes(bytes),
                what,
                Loading.bytes(memory.free()),
                Loading.bytes(memory.total())));
  }

  /** Frees what {@link #allocate} gave. */
  public void free(long address) {
    release(new Memory(address));
  }

  /**
   * Host memory that the card reads and writes by itself, so that copies run beside kernels. Lives
   * until {@link #freePinned} or the context's end.
   *
   * @param bytes how much, 1 or more
   * @throws CudaException if the system does not give so much
   */
  public MemorySegment pinned(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("pinned memory of " + bytes + " bytes");
    }
    Symbols symbols = use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      check(
          CudaDriverCalls.cuMemHostAlloc(symbols, out, bytes, 0),
          "cuMemHostAlloc",
          Loading.bytes(bytes) + " of pinned host memory");
      MemorySegment memory = out.get(ValueLayout.ADDRESS, 0).reinterpret(bytes);
      keep(
          new Pinned(memory.address()),
          () -> check(CudaDriverCalls.cuMemFreeHost(symbols, memory), "cuMemFreeHost", "memory"));
      return memory;
    }
  }

  /** Frees what {@link #pinned} gave. */
  public void freePinned(MemorySegment memory) {
    release(new Pinned(memory.address()));
  }

  /**
   * Loads compiled code onto the card.
   *
   * @param image what {@link Nvrtc} compiled for this card
   * @throws CudaException if it is not, or is damaged
   */
  public CudaModule module(byte[] image) {
    Symbols symbols = use();
    try (Arena arena = Arena.ofConfined()) {
      // A zero behind it: what is no binary is read as text.
      MemorySegment bytes = arena.allocate(image.length + 1L, 16);
      MemorySegment.copy(image, 0, bytes, ValueLayout.JAVA_BYTE, 0, image.length);
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      check(
          CudaDriverCalls.cuModuleLoadData(symbols, out, bytes),
          "cuModuleLoadData",
          "a module of " + image.length + " bytes");
      return new CudaModule(this, out.get(ValueLayout.ADDRESS, 0));
    }
  }

  /** A new stream, which runs beside all others. */
  public CudaStream stream() {
    Symbols symbols = use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      check(
          CudaDriverCalls.cuStreamCreate(symbols, out, CudaDriverCalls.CU_STREAM_NON_BLOCKING()),
          "cuStreamCreate",
          "a stream");
      return new CudaStream(this, out.get(ValueLayout.ADDRESS, 0));
    }
  }

  /** A new event, which takes the time. */
  public CudaEvent event() {
    Symbols symbols = use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      check(
          CudaDriverCalls.cuEventCreate(symbols, out, CudaDriverCalls.CU_EVENT_DEFAULT()),
          "cuEventCreate",
          "an event");
      return new CudaEvent(this, out.get(ValueLayout.ADDRESS, 0));
    }
  }

  /** The card's memory now. */
  public MemoryInfo memoryInfo() {
    Symbols symbols = use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(2 * Long.BYTES, Long.BYTES);
      check(
          CudaDriverCalls.cuMemGetInfo_v2(symbols, out, out.asSlice(Long.BYTES)),
          "cuMemGetInfo_v2",
          "the card");
      return new MemoryInfo(
          out.get(ValueLayout.JAVA_LONG, 0), out.get(ValueLayout.JAVA_LONG, Long.BYTES));
    }
  }

  /**
   * Waits for everything that was started on the card.
   *
   * @throws CudaException if any of it failed; the context is then of no use any more
   */
  public void synchronize() {
    check(CudaDriverCalls.cuCtxSynchronize(use()), "cuCtxSynchronize", "work started before");
  }

  /**
   * Makes this the calling thread's context, which the driver's calls go by.
   *
   * @throws IllegalStateException if it is closed
   */
  Symbols use() {
    synchronized (open) {
      if (closed) {
        throw new IllegalStateException(card + " is closed");
      }
    }
    check(
        CudaDriverCalls.cuCtxSetCurrent(driver.symbols(), handle),
        "cuCtxSetCurrent",
        "this thread");
    return driver.symbols();
  }

  void check(int code, String function, Object subject) {
    if (code != CudaDriverCalls.CUDA_SUCCESS()) {
      driver.check(code, function, subject + " on " + card);
    }
  }

  /** Something was made that is freed by {@code end} at the latest when the context is closed. */
  void keep(Object thing, Runnable end) {
    synchronized (open) {
      open.put(thing, end);
    }
  }

  /** Frees something, if it is not freed yet. */
  void release(Object thing) {
    Runnable end;
    synchronized (open) {
      end = closed ? null : open.remove(thing);
    }
    if (end != null) {
      use();
      end.run();
    }
  }

  @Override
  public void close() {
    List<Runnable> ends;
    synchronized (open) {
      if (closed) {
        return;
      }
    }
    use();
    synchronized (open) {
      closed = true;
      ends = new ArrayList<>(open.values());
      open.clear();
    }
    for (int i = ends.size() - 1; i >= 0; i--) { // what was made last uses what was made before
      try {
        ends.get(i).run();
      } catch (CudaException e) {
        // After a failed kernel every call fails; the first failure was reported to its caller.
        LOG.log(System.Logger.Level.DEBUG, e.getMessage());
      }
    }
    check(
        CudaDriverCalls.cuDevicePrimaryCtxRelease_v2(driver.symbols(), device),
        "cuDevicePrimaryCtxRelease_v2",
        "the context");
  }

  private record Memory(long address) {}

  private record Pinned(long address) {}
}
