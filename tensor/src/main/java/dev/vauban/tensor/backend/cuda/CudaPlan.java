package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.CudaEvent;
import dev.vauban.natives.cuda.CudaException;
import dev.vauban.natives.cuda.CudaGraph;
import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.natives.cuda.Gemms;
import dev.vauban.tensor.Binding;
import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import dev.vauban.tensor.backend.fusion.PlanTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * A program compiled for a card: one piece of its memory, one graph.
 *
 * <pre>
 *   on the card   | inputs | results | fault | constants | slab |
 *   pinned, twice | inputs | results | fault |
 * </pre>
 *
 * <p>A run copies the inputs into one of the two pinned buffers and launches that buffer's graph:
 * one copy to the card, all kernels, one copy back. While it runs, the next run's inputs can be put
 * into the other buffer ({@link Bound#start}).
 */
final class CudaPlan implements Plan {
  private static final System.Logger LOG = System.getLogger(CudaPlan.class.getName());
  private static final int BUFFERS = 2;

  private final Program program;
  private final OpenCard card;
  private final Code code;
  private final Map<LeafOp.Data, Long> constants =
      new LinkedHashMap<>(); // to offsets, then addresses
  private final long[] inputOffsets;
  private final long[] resultOffsets; // from the first result
  private final long inputBytes;
  private final long outBytes; // results and fault
  private final long faultOffset; // from the first result
  private final long slabOffset;
  private final long bytes;
  private final Map<GemmSpec, Gemms.Gemm> products = new HashMap<>();
  private final Buffer[] buffers = new Buffer[BUFFERS];
  private final boolean[] busy = new boolean[BUFFERS]; // with a run that is under way
  private long base;
  private boolean closed;

  /** A pinned buffer with the graph that copies from and to it. */
  private record Buffer(
      MemorySegment inputs,
      MemorySegment results,
      MemorySegment all,
      CudaGraph graph,
      CudaEvent done) {}

  CudaPlan(Program program, OpenCard card) {
    this.program = program;
    this.card = card;
    this.code = lowered();
    this.inputOffsets = new long[program.inputs().leaves().size()];
    this.resultOffsets = new long[program.outputs().leaves().size()];
    this.inputBytes = offsets(program.inputs(), inputOffsets);
    this.faultOffset = offsets(program.outputs(), resultOffsets);
    this.outBytes = faultOffset + MemoryPlanner.align(Faults.BYTES);
    long at = inputBytes + outBytes;
    for (LeafOp.Data d : code.allConstants()) {
      constants.put(d, at);
      at += MemoryPlanner.align(d.type().bytes());
    }
    this.slabOffset = at;
    this.bytes = at + code.slabBytes();
    try {
      load();
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** With the library's products, or without them where it refuses one. */
  private Code lowered() {
    Code lowered = card.ways().lower(program.graph(), card.choices());
    try {
      prepare(lowered);
      return lowered;
    } catch (CudaException e) {
      if (e.outOfMemory()) {
        throw e;
      }
      LOG.log(System.Logger.Level.INFO, "matrix products by own kernels: {0}", e.getMessage());
      products.clear();
      return Lowering.program(program.graph(), card.choices().withoutLibrary());
    }
  }

  private static long offsets(Tree<Type> types, long[] offsets) {
    long at = 0;
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = at;
      at += MemoryPlanner.align(types.leaves().get(i).bytes());
    }
    return at;
  }

  private void load() {
    card.kernels().load(code.kernels().values());
    String planned =
        "a plan (%,d bytes planned: %,d of inputs and results, %,d of constants, a slab of %,d)"
            .formatted(
                bytes, inputBytes + outBytes, slabOffset - inputBytes - outBytes, code.slabBytes());
    base = card.context().allocate(Math.max(bytes, 1), planned);
    constants.replaceAll((d, offset) -> base + offset);
    upload();
  }

  private void upload() {
    long size = slabOffset - inputBytes - outBytes;
    if (size == 0) {
      return;
    }
    MemorySegment host = card.context().pinned(size);
    try {
      long first = base + inputBytes + outBytes;
      constants.forEach(
          (d, address) -> Constants.write(d, host.asSlice(address - first, d.type().bytes())));
      card.stream().copyToDevice(first, host);
      card.stream().synchronize();
    } finally {
      card.context().freePinned(host);
    }
  }

  /** Makes the library's products ready, which measures some: not possible while capturing. */
  private void prepare(Code code) {
    for (Step s : code.steps()) {
      switch (s) {
        case Step.Library l ->
            products.computeIfAbsent(
                l.product(), spec -> card.products().orElseThrow().prepare(spec, card.stream()));
        case Step.Loop l -> prepare(l.body());
        case Step.Kernels k -> {}
        case Step.Copy c -> {}
      }
    }
  }

  /** The buffer of this number, captured when it is first used. */
  private Buffer buffer(int i) {
    if (buffers[i] == null) {
      MemorySegment all = card.context().pinned(Math.max(1, inputBytes + outBytes));
      MemorySegment in = all.asSlice(0, inputBytes);
      MemorySegment out = all.asSlice(inputBytes, outBytes);
      try (Arena arena = Arena.ofConfined()) {
        CudaGraph graph = card.stream().capture(() -> record(in, out, arena));
        buffers[i] = new Buffer(in, out, all, graph, card.context().event());
      } catch (RuntimeException | Error e) {
        card.context().freePinned(all);
        throw e;
      }
    }
    return buffers[i];
  }

  private void record(MemorySegment in, MemorySegment out, Arena arena) {
    if (inputBytes > 0) {
      card.stream().copyToDevice(base, in);
    }
    long results = base + inputBytes;
    queue(
        LongStream.of(inputOffsets).map(o -> base + o).toArray(),
        LongStream.of(resultOffsets).map(o -> results + o).toArray(),
        results + faultOffset,
        arena);
    card.stream().copyToHost(out, results);
  }

  /**
   * Queues all of the program's work.
   *
   * @param inputs addresses of the inputs' leaves on the card
   * @param results of the results' leaves
   * @param fault of {@link Faults}
   * @param arena for arguments, until all is queued
   */
  void queue(long[] inputs, long[] results, long fault, Arena arena) {
    card.stream().set(fault, 0, Faults.WORDS);
    long[] addresses = new long[code.offsets().length];
    for (int i = 0; i < inputs.length; i++) {
      if (code.params()[i] >= 0) {
        addresses[code.params()[i]] = inputs[i];
      }
    }
    for (int i = 0; i < results.length; i++) {
      addresses[code.results()[i]] = results[i];
    }
    new Recorder(card.stream(), card.kernels(), products, constants, fault, arena)
        .record(code, addresses, base + slabOffset);
  }

  /**
   * Refuses to work for a closed plan or device.
   *
   * @throws ClosedException if either is closed
   */
  void check() {
    if (closed) {
      throw new ClosedException("the plan is closed");
    }
    card.check();
  }

  @Override
  public Sequence sequence(Tree<Tensor> inputs, Tree<Tensor> outputs, Kept kept) {
    synchronized (card) {
      check();
      return new CudaSequence(this, card, inputs, outputs, kept);
    }
  }

  /** The lowered program. */
  Code code() {
    return code;
  }

  /** Nodes of the graph that a run launches: kernels, copies and the fault's reset. */
  int graphNodes() {
    synchronized (card) {
      return buffer(0).graph().nodes();
    }
  }

  @Override
  public Program program() {
    return program;
  }

  @Override
  public Bound bind(Tree<Tensor> inputs, Tree<Tensor> outputs) {
    List<Tensor> in = Binding.check("input", program.inputs(), inputs);
    List<Tensor> out = Binding.check("output", program.outputs(), outputs);
    Binding.refuseShared(in, out);
    return new Running(in.toArray(Tensor[]::new), out.toArray(Tensor[]::new));
  }

  /** A plan with its tensors. */
  final class Running implements Bound {
    private final Tensor[] inputs;
    private final Tensor[] outputs;
    private final List<Integer> underWay = new ArrayList<>(BUFFERS); // buffers, oldest first

    Running(Tensor[] inputs, Tensor[] outputs) {
      this.inputs = inputs;
      this.outputs = outputs;
    }

    @Override
    public void run() {
      synchronized (card) {
        start();
        while (!underWay.isEmpty()) {
          finish();
        }
      }
    }

    @Override
    public void start() {
      synchronized (card) {
        check();
        int number = busy[0] ? 1 : 0;
        if (busy[number]) {
          throw new IllegalStateException("two runs are under way; finish one first");
        }
        Buffer b = buffer(number);
        for (int i = 0; i < inputs.length; i++) {
          MemorySegment from = inputs[i].segment();
          MemorySegment.copy(from, 0, b.inputs(), inputOffsets[i], inputs[i].type().bytes());
        }
        b.graph().launch(card.stream());
        card.stream().record(b.done());
        underWay.add(number);
        busy[number] = true;
      }
    }

    @Override
    public void finish() {
      synchronized (card) {
        if (closed) {
          throw new ClosedException("the plan is closed");
        }
        if (underWay.isEmpty()) {
          throw new IllegalStateException("no run was started");
        }
        int number = underWay.removeFirst();
        busy[number] = false;
        Buffer b = buffers[number];
        b.done().synchronize();
        Faults.check(b.results().asSlice(faultOffset, Faults.BYTES));
        for (int i = 0; i < outputs.length; i++) {
          MemorySegment to = outputs[i].segment();
          MemorySegment.copy(b.results(), resultOffsets[i], to, 0, outputs[i].type().bytes());
        }
      }
    }
  }

  @Override
  public long flops() {
    return code.steps().stream().mapToLong(Step::flops).sum();
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public long traffic() {
    return code.steps().stream().mapToLong(Step::traffic).sum();
  }

  @Override
  public void close() {
    synchronized (card) {
      if (closed) {
        return;
      }
      closed = true;
      if (card.isClosed()) {
        return; // which freed everything
      }
      try {
        card.stream().synchronize(); // runs that were started and not finished
      } catch (CudaException e) { // the card refuses all calls from now on, also those that free
        LOG.log(System.Logger.Level.WARNING, "a plan is not freed: {0}", e.getMessage());
        return;
      }
      for (Buffer b : buffers) {
        if (b != null) {
          b.done().close();
          b.graph().close();
          card.context().freePinned(b.all());
        }
      }
      if (base != 0) {
        card.context().free(base);
      }
    }
  }

  @Override
  public List<Part> parts() {
    List<Part> parts = new ArrayList<>();
    parts(code, 0, parts);
    return List.copyOf(parts);
  }

  private static void parts(Code code, int depth, List<Part> parts) {
    for (Step s : code.steps()) {
      long kernels =
          switch (s) {
            case Step.Kernels k -> k.launches().size();
            case Step.Loop l -> l.body().launches();
            case Step.Library l -> 1;
            case Step.Copy c -> 1;
          };
      parts.add(
          new Part(
              depth, s.label(), PlanTable.line(s.writes()), s.flops(), s.scratchBytes(), kernels));
      if (s instanceof Step.Loop l) {
        parts(l.body(), depth + 1, parts);
      }
    }
  }

  @Override
  public String toString() {
    return PlanTable.of(bytes, code.launches(), parts());
  }
}
