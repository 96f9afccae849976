package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.CudaEvent;
import dev.vauban.natives.cuda.CudaException;
import dev.vauban.natives.cuda.CudaGraph;
import dev.vauban.natives.cuda.CudaStream;
import dev.vauban.tensor.Binding;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs of a plan whose state stays on the card.
 *
 * <pre>
 *   on the card | fixed | state, twice | inputs, twice | results and fault, twice |
 *   pinned      |                      | inputs, twice | results and fault, twice |
 * </pre>
 *
 * <p>Run n uses the buffers of number n mod 2 and a graph of its own: it reads the state of that
 * number and writes the other one. Three streams work side by side:
 *
 * <pre>
 *   up       inputs n+1 ----+
 *   compute  run n          +-> run n+1 ----+
 *   down             +-> results n          +-> results n+1
 * </pre>
 *
 * <p>Who waits for whom: a run for its inputs, results for their run, the host for results. Buffers
 * are used again when the host has seen the results of the run two before, so nothing else needs to
 * wait. The state of the last finished run is not written before two more have been started.
 */
final class CudaSequence implements Plan.Sequence {
  private static final System.Logger LOG = System.getLogger(CudaSequence.class.getName());
  private static final int BUFFERS = 2;

  private final CudaPlan plan;
  private final OpenCard card;
  private final Scope scope = Scope.open();
  private final Tree<Tensor> state; // the host's copy
  private final List<Place> statePlaces = new ArrayList<>(); // of its leaves
  private final List<Piece> fixed = new ArrayList<>();
  private final List<Piece> fresh = new ArrayList<>();
  private final List<Piece> results = new ArrayList<>();
  private final Buffer[] buffers = new Buffer[BUFFERS];
  private long base;
  private long inputBytes;
  private long resultBytes; // without the fault
  private long started;
  private long finished;
  private boolean fetched = true; // whether the host's copy is the last state
  private boolean failed;
  private boolean closed;

  /** A tensor, and where it lies from the beginning of its kind. */
  private record Piece(Tensor tensor, long offset) {}

  /** Where a leaf of the state lies before runs of even and of odd number. */
  private record Place(long even, long odd) {
    long before(long run) {
      return run % BUFFERS == 0 ? even : odd;
    }
  }

  /** What runs of one parity use. */
  private record Buffer(
      long inputs,
      long results,
      MemorySegment pinnedInputs,
      MemorySegment pinnedResults,
      CudaGraph graph,
      CudaEvent uploaded,
      CudaEvent computed,
      CudaEvent done) {}

  CudaSequence(
      CudaPlan plan, OpenCard card, Tree<Tensor> inputs, Tree<Tensor> outputs, Plan.Kept kept) {
    this.plan = plan;
    this.card = card;
    Program program = plan.program();
    try {
      Set<String> carried = Binding.carried(program, kept);
      this.state = scope.tensors(program.inputs().sub(kept.state()));
      Tree<Tensor> all = inputs.with(kept.state(), state);
      List<Tensor> in = Binding.check("input", program.inputs(), all);
      List<Tensor> out = checked(program, outputs, carried);
      Binding.refuseShared(in, out);
      place(program, in, out, carried, kept);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** The outputs that are not carried, checked. */
  private static List<Tensor> checked(Program program, Tree<Tensor> outputs, Set<String> carried) {
    if (carried.isEmpty()) {
      return Binding.check("output", program.outputs(), outputs);
    }
    Map<String, Type> others = new LinkedHashMap<>(program.outputs().paths());
    others.keySet().removeAll(carried);
    return Binding.check("output", Tree.ofPaths(others), outputs);
  }

  /** Lays everything out, allocates, writes what is fixed and captures both graphs. */
  private void place(
      Program program, List<Tensor> in, List<Tensor> out, Set<String> carried, Plan.Kept kept) {
    List<String> inPaths = List.copyOf(program.inputs().paths().keySet());
    List<String> outPaths = List.copyOf(program.outputs().paths().keySet());
    long[] offsets = new long[in.size()]; // from the beginning of its kind
    long fixedBytes = 0;
    long stateBytes = 0;
    for (int i = 0; i < offsets.length; i++) {
      long bytes = MemoryPlanner.align(in.get(i).type().bytes());
      if (kept.carries(inPaths.get(i))) {
        offsets[i] = stateBytes;
        stateBytes += bytes;
      } else if (kept.fixes(inPaths.get(i))) {
        offsets[i] = fixedBytes;
        fixed.add(new Piece(in.get(i), fixedBytes));
        fixedBytes += bytes;
      } else {
        offsets[i] = inputBytes;
        fresh.add(new Piece(in.get(i), inputBytes));
        inputBytes += bytes;
      }
    }
    for (Tensor t : out) {
      results.add(new Piece(t, resultBytes));
      resultBytes += MemoryPlanner.align(t.type().bytes());
    }
    long outBytes = resultBytes + MemoryPlanner.align(Faults.BYTES);
    long all = fixedBytes + BUFFERS * (stateBytes + inputBytes + outBytes);
    base =
        card.context()
            .allocate(
                all,
                "what a plan keeps (%,d bytes planned: %,d fixed, twice %,d of state, %,d of other"
                        .formatted(all, fixedBytes, stateBytes, inputBytes)
                    + " inputs, %,d of results)".formatted(outBytes));
    card.stream().set(base, 0, all / Integer.BYTES);
    long states = base + fixedBytes;
    long firstInputs = states + BUFFERS * stateBytes;
    long firstResults = firstInputs + BUFFERS * inputBytes;
    Map<String, Integer> numbers = new LinkedHashMap<>(); // of the inputs, by path
    for (int i = 0; i < offsets.length; i++) {
      numbers.put(inPaths.get(i), i);
      if (kept.carries(inPaths.get(i))) {
        long even = states + offsets[i];
        long odd = carried.contains(inPaths.get(i)) ? even + stateBytes : even; // else it stays
        statePlaces.add(new Place(even, odd));
      }
    }
    for (int b = 0; b < BUFFERS; b++) {
      long[] inAt = new long[in.size()];
      int leaf = 0;
      for (int i = 0; i < inAt.length; i++) {
        inAt[i] =
            kept.carries(inPaths.get(i))
                ? statePlaces.get(leaf++).before(b)
                : (kept.fixes(inPaths.get(i)) ? base : firstInputs + b * inputBytes) + offsets[i];
      }
      long resultsAt = firstResults + b * outBytes;
      long[] outAt = new long[outPaths.size()];
      int result = 0;
      for (int o = 0; o < outAt.length; o++) {
        int parity = b;
        outAt[o] =
            carried.contains(outPaths.get(o))
                ? placeOf(numbers.get(outPaths.get(o)), inPaths, kept).before(parity + 1)
                : resultsAt + results.get(result++).offset();
      }
      buffers[b] = buffer(firstInputs + b * inputBytes, resultsAt, outBytes, inAt, outAt);
    }
    for (Piece p : fixed) {
      if (p.tensor().type().bytes() > 0) {
        card.stream().copyToDevice(base + p.offset(), p.tensor().segment());
      }
    }
    card.stream().synchronize();
  }

  /** The place of the state's leaf that is input number {@code input}. */
  private Place placeOf(int input, List<String> inPaths, Plan.Kept kept) {
    long before = inPaths.subList(0, input).stream().filter(kept::carries).count();
    return statePlaces.get((int) before);
  }

  private Buffer buffer(long in, long out, long outBytes, long[] inAt, long[] outAt) {
    MemorySegment pinnedIn = card.context().pinned(Math.max(1, inputBytes));
    MemorySegment pinnedOut = card.context().pinned(outBytes);
    try (Arena arena = Arena.ofConfined()) {
      CudaGraph graph =
          card.stream().capture(() -> plan.queue(inAt, outAt, out + resultBytes, arena));
      return new Buffer(
          in,
          out,
          pinnedIn.asSlice(0, inputBytes),
          pinnedOut,
          graph,
          card.context().event(),
          card.context().event(),
          card.context().event());
    } catch (RuntimeException | Error e) {
      card.context().freePinned(pinnedIn);
      card.context().freePinned(pinnedOut);
      throw e;
    }
  }

  private void check() {
    plan.check();
    if (closed) {
      throw new IllegalStateException("the sequence is closed");
    }
  }

  private void checkWhole() {
    check();
    if (failed) {
      throw new IllegalStateException("a run failed and left no state; set one to go on from");
    }
  }

  @Override
  public void start() {
    synchronized (card) {
      checkWhole();
      if (started - finished == BUFFERS) {
        throw new IllegalStateException("two runs are under way; finish one first");
      }
      Buffer b = buffers[(int) (started % BUFFERS)];
      fixed.forEach(p -> p.tensor().segment()); // memory that is gone is an error everywhere
      for (Piece p : fresh) {
        MemorySegment from = p.tensor().segment();
        MemorySegment.copy(from, 0, b.pinnedInputs(), p.offset(), from.byteSize());
      }
      CudaStream compute = card.stream();
      if (inputBytes > 0) {
        card.up().copyToDevice(b.inputs(), b.pinnedInputs());
        card.up().record(b.uploaded());
        compute.waitFor(b.uploaded());
      }
      b.graph().launch(compute);
      compute.record(b.computed());
      card.down().waitFor(b.computed());
      card.down().copyToHost(b.pinnedResults(), b.results());
      card.down().record(b.done());
      started++;
    }
  }

  @Override
  public void finish() {
    synchronized (card) {
      checkWhole();
      if (started == finished) {
        throw new IllegalStateException("no run was started");
      }
      Buffer b = buffers[(int) (finished % BUFFERS)];
      b.done().synchronize();
      finished++;
      fetched = false;
      failed = true; // unless all is well
      Faults.check(b.pinnedResults().asSlice(resultBytes, Faults.BYTES));
      for (Piece p : results) {
        MemorySegment to = p.tensor().segment();
        MemorySegment.copy(b.pinnedResults(), p.offset(), to, 0, to.byteSize());
      }
      failed = false;
    }
  }

  @Override
  public int ahead() {
    return BUFFERS - 1;
  }

  @Override
  public Tree<Tensor> state() {
    synchronized (card) {
      checkWhole();
      if (started - finished == BUFFERS) {
        throw new IllegalStateException("two runs are under way; finish one to see its state");
      }
      if (!fetched) {
        List<Tensor> leaves = state.leaves();
        for (int i = 0; i < leaves.size(); i++) {
          if (leaves.get(i).type().bytes() > 0) {
            // Not by way of `down`, where the results of a run that is under way are waited for.
            card.up().copyToHost(leaves.get(i).segment(), statePlaces.get(i).before(finished));
          }
        }
        card.up().synchronize();
        fetched = true;
      }
      return state;
    }
  }

  @Override
  public void set(Tree<Tensor> other) {
    synchronized (card) {
      check();
      List<Tensor> from = Binding.check("state", state.map(Tensor::type), other);
      for (; finished < started; finished++) {
        buffers[(int) (finished % BUFFERS)].done().synchronize();
      }
      List<Tensor> leaves = state.leaves();
      for (int i = 0; i < leaves.size(); i++) {
        leaves.get(i).copyFrom(from.get(i));
        if (leaves.get(i).type().bytes() > 0) {
          card.up().copyToDevice(statePlaces.get(i).before(started), leaves.get(i).segment());
        }
      }
      card.up().synchronize();
      fetched = true;
      failed = false;
    }
  }

  @Override
  public void close() {
    synchronized (card) {
      if (closed) {
        return;
      }
      closed = true;
      scope.close();
      if (card.isClosed()) {
        return; // which freed everything
      }
      try {
        card.synchronize();
      } catch (CudaException e) { // the card refuses all calls from now on, also those that free
        LOG.log(System.Logger.Level.WARNING, "a sequence is not freed: {0}", e.getMessage());
        return;
      }
      for (Buffer b : buffers) {
        if (b != null) {
          b.uploaded().close();
          b.computed().close();
          b.done().close();
          b.graph().close();
          card.context().freePinned(b.pinnedInputs());
          card.context().freePinned(b.pinnedResults());
        }
      }
      if (base != 0) {
        card.context().free(base);
      }
    }
  }
}
