package dev.vauban.natives.onednn;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.load.OneDnnLibrary;
import dev.vauban.natives.onednn.generated.Dnnl;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The oneDNN library: convolutions and matrix products compiled for fixed shapes.
 *
 * <p>Which library is used is said, before the first use, by the system property {@code
 * vauban.onednn} or else the environment variable {@code VAUBAN_ONEDNN}: {@code bundled} (the
 * default: from the class path), {@code system} (what the dynamic linker finds), {@code off}, or
 * the path of a library.
 *
 * <p>Every primitive runs on the calling thread alone; work is spread over threads by running
 * primitives on several of them. Results are the same bits whichever thread runs.
 *
 * <pre>{@code
 * OneDnn dnn = OneDnn.get();
 * long stream = dnn.newStream();
 * try (Primitive conv = dnn.convForward(ConvSpec.of(25, 28, 28, 64, 64, 3, 3).pad(1, 1, 1, 1))) {
 *   MemorySegment scratch = arena.allocate(conv.scratchBytes(), 64);
 *   conv.run(stream, x.address(), w.address(), y.address(), scratch.address());
 * }
 * }</pre>
 */
public final class OneDnn {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  /** The system property that says which library to use. */
  public static final String PROPERTY = "vauban.onednn";

  /** The environment variable that says it where the property is not set. */
  public static final String VARIABLE = "VAUBAN_ONEDNN";

  /** How it is with oneDNN. */
  public enum State {
    /** It can be used. */
    READY,
    /** It is switched off; Java kernels run. */
    OFF,
    /** Nothing was asked for and the bundled library cannot be used; Java kernels run instead. */
    ABSENT,
    /** A library was asked for and cannot be used: {@link #find} throws, so nothing computes. */
    REFUSED
  }

  /**
   * What {@code vauban doctor} shows.
   *
   * @param state whether oneDNN can be used, and what happens where not
   * @param choice what was asked for: {@code bundled}, {@code system}, {@code off} or a path
   * @param path the library's file; empty if not available
   * @param version its version, such as {@code 3.11.0}; empty if not available
   * @param isa the best instruction set it uses on this CPU; empty if not available
   * @param threads threads per primitive, always 1; 0 if not available
   * @param reason why it is not available; empty if it is
   * @param remedy what to do to make it available; empty if it is
   */
  public record Status(
      State state,
      String choice,
      String path,
      String version,
      String isa,
      int threads,
      String reason,
      String remedy) {

    /** One that cannot be used. */
    public static Status without(State state, String choice, String reason, String remedy) {
      return new Status(state, choice, "", "", "", 0, reason, remedy);
    }

    /** Whether oneDNN can be used. */
    public boolean available() {
      return state == State.READY;
    }
  }

  /** Loaded on first use, once. */
  private static final class Shared {
    static final Choice CHOICE = Choice.read();
    static final OneDnn INSTANCE;
    static final NativeException FAILURE;

    static {
      OneDnn instance = null;
      NativeException failure = null;
      if (!CHOICE.isOff()) {
        try {
          OneDnnLibrary library = OneDnnLibrary.open(CHOICE.value());
          library.bind();
          instance = new OneDnn(library);
        } catch (NativeException e) {
          failure = e;
          if (!CHOICE.explicit()) {
            LOG.log(System.Logger.Level.WARNING, "running without oneDNN: {0}", e.getMessage());
          }
        }
      }
      INSTANCE = instance;
      FAILURE = failure;
    }
  }

  /** What the user asked for, and whether the user did. */
  private record Choice(String value, boolean explicit) {
    static Choice read() {
      String value = System.getProperty(PROPERTY, System.getenv(VARIABLE));
      return value == null || value.isBlank()
          ? new Choice("bundled", false)
          : new Choice(value.strip(), true);
    }

    boolean isOff() {
      return value.equals("off");
    }
  }

  /** A compiled program and the primitives that use it. */
  private record Entry(Program program, int users) {}

  private record ConvKey(Program.Pass pass, ConvSpec spec) {}

  private final OneDnnLibrary library;
  private final MemorySegment engine;
  private final boolean openMp;
  private final ConcurrentHashMap<Object, Entry> programs = new ConcurrentHashMap<>();

  private OneDnn(OneDnnLibrary library) {
    this.library = library;
    this.openMp = library.threading() == OneDnnLibrary.Threading.OPENMP;
    useOneThread();
    // Not through Calls: its messages need the status, which is being made.
    this.engine = newEngine(library);
  }

  /** Whether oneDNN can be used, and which, or why not and what to do. Loads it on first use. */
  public static Status status() {
    String choice = Shared.CHOICE.value();
    if (Shared.CHOICE.isOff()) {
      return Status.without(
          State.OFF,
          choice,
          "it is switched off by " + PROPERTY + "=off (property) or " + VARIABLE + " (environment)",
          "remove that setting to use the bundled library");
    }
    if (Shared.FAILURE != null) {
      return Status.without(
          Shared.CHOICE.explicit() ? State.REFUSED : State.ABSENT,
          choice,
          Shared.FAILURE.problem(),
          Shared.FAILURE.remedy().orElse(""));
    }
    OneDnnLibrary library = Shared.INSTANCE.library;
    return new Status(
        State.READY, choice, library.path(), library.version(), library.isa(), 1, "", "");
  }

  /**
   * oneDNN, or empty where it is switched off, or where nothing was asked for and the bundled
   * library cannot be used (a warning is logged).
   *
   * @throws NativeException if a library was asked for by property or environment and cannot be
   *     used
   */
  public static Optional<OneDnn> find() {
    if (Shared.FAILURE != null && Shared.CHOICE.explicit()) {
      throw again(Shared.FAILURE);
    }
    return Optional.ofNullable(Shared.INSTANCE);
  }

  /**
   * oneDNN.
   *
   * @throws NativeException if it cannot be used, or is switched off
   */
  public static OneDnn get() {
    if (Shared.INSTANCE == null) {
      throw Shared.FAILURE != null
          ? again(Shared.FAILURE)
          : new NativeException(
              "oneDNN is not used: " + status().reason(), status().remedy(), null);
    }
    return Shared.INSTANCE;
  }

  /** The stack trace of the first failure would mislead the second caller. */
  private static NativeException again(NativeException first) {
    return new NativeException(first.problem(), first.remedy().orElse(""), first);
  }

  /** A stream: what a worker's executions go through. One per worker, for as long as it lives. */
  public long newStream() {
    return Kernel.create(
            out -> Dnnl.dnnl_stream_create(out, engine, Dnnl.dnnl_stream_in_order()),
            "dnnl_stream_create",
            "a worker")
        .address();
  }

  /** Frees a stream, on which nothing runs. */
  public void closeStream(long stream) {
    if (stream != 0) {
      Dnnl.dnnl_stream_destroy(MemorySegment.ofAddress(stream));
    }
  }

  /**
   * The convolution {@code y = x * w}. Run with left x, right w, out y.
   *
   * <p>Types: all f32, or x and w bf16 and y bf16 or f32.
   *
   * @throws NativeException if oneDNN has no code for these shapes and types
   */
  public Primitive convForward(ConvSpec spec) {
    return convolution(Program.Pass.FORWARD, spec);
  }

  /**
   * The gradient of a convolution with respect to x. Run with left y's gradient, right w, out x's
   * gradient.
   *
   * <p>Types: all f32, or w and y bf16 and x bf16 or f32.
   *
   * @throws NativeException if oneDNN has no code for these shapes and types
   */
  public Primitive convBackwardData(ConvSpec spec) {
    return convolution(Program.Pass.BACKWARD_DATA, spec);
  }

  /**
   * The gradient of a convolution with respect to w. Run with left x, right y's gradient, out w's
   * gradient.
   *
   * <p>Types: all f32, or x and y bf16 and w bf16 or f32.
   *
   * @throws NativeException if oneDNN has no code for these shapes and types
   */
  public Primitive convBackwardWeights(ConvSpec spec) {
    return convolution(Program.Pass.BACKWARD_WEIGHTS, spec);
  }

  /**
   * A batch of matrix products. Run with left a, right b, out c.
   *
   * <p>Types: all f32, or a and b bf16 and c bf16 or f32.
   *
   * @throws NativeException if oneDNN has no code for these shapes and types
   */
  public Primitive matmul(MatmulSpec spec) {
    return primitive(spec, () -> Program.matmul(engine, spec));
  }

  private Primitive convolution(Program.Pass pass, ConvSpec spec) {
    return primitive(new ConvKey(pass, spec), () -> Program.convolution(engine, pass, spec));
  }

  private Primitive primitive(Object key, Supplier<Program> compiler) {
    // oneDNN fixes the number of threads of a kernel when it is made, from the making thread's.
    useOneThread();
    Program program =
        programs
            .compute(
                key,
                (k, entry) ->
                    entry == null
                        ? new Entry(compiler.get(), 1)
                        : new Entry(entry.program(), entry.users() + 1))
            .program();
    try {
      return new Primitive(this, key, program);
    } catch (RuntimeException | Error e) {
      release(key);
      throw e;
    }
  }

  void release(Object key) {
    programs.computeIfPresent(
        key,
        (k, entry) -> {
          if (entry.users() > 1) {
            return new Entry(entry.program(), entry.users() - 1);
          }
          entry.program().owner().close();
          return null;
        });
  }

  MemorySegment engine() {
    return engine;
  }

  /**
   * Makes OpenMP use one thread in the calling thread, where the setting is kept. Some kernels ask
   * for it when they run, not when they are made; and OpenMP's own threads spin while they wait,
   * which on a busy machine costs milliseconds per call. A few nanoseconds.
   */
  void useOneThread() {
    if (openMp) {
      Dnnl.omp_set_num_threads(1);
    }
  }

  private static MemorySegment newEngine(OneDnnLibrary library) {
    try (var arena = java.lang.foreign.Arena.ofConfined()) {
      MemorySegment out = arena.allocate(java.lang.foreign.ValueLayout.ADDRESS);
      int status = Dnnl.dnnl_engine_create(out, Dnnl.dnnl_cpu(), 0);
      if (status != 0) {
        throw new NativeException(
            "dnnl_engine_create returned "
                + status
                + " in oneDNN "
                + library.version()
                + ", "
                + library.path(),
            "use -D" + PROPERTY + "=bundled, or =off to run without oneDNN",
            null);
      }
      return out.get(java.lang.foreign.ValueLayout.ADDRESS, 0);
    }
  }
}
