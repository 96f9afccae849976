package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import dev.vauban.tensor.backend.cpu.LoopPlan.Loop;
import dev.vauban.tensor.backend.cpu.LoopPlan.Span;
import dev.vauban.tensor.backend.cpu.VectorOps.Invariant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Emits one nest: its outer loops into {@code run}, its blocks as methods of their own. */
final class NestEmitter {
  /**
   * HotSpot never compiles a method of more than 8000 bytes; the margin covers differences in how
   * sizes are counted.
   */
  static final int MAX_METHOD_BYTES = 7900;

  private final ClassWriter writer;
  private final String owner;
  private final String name;
  private final Nest nest;
  private final LoopPlan plan;
  private final VectorWidth width;
  private final Bytecode run;
  private int blocks;

  NestEmitter(
      ClassWriter writer, String owner, String name, Nest nest, VectorWidth width, Bytecode run) {
    this.writer = writer;
    this.owner = owner;
    this.name = name;
    this.nest = nest;
    this.plan = LoopPlan.of(nest.essential(), width);
    this.width = width;
    this.run = run;
  }

  LoopPlan plan() {
    return plan;
  }

  /**
   * Emits the nest.
   *
   * @param addresses the local of {@code run} that holds the addresses
   */
  void emit(Slot addresses) {
    int mark = run.mark();
    Slot[] pointers = new Slot[nest.arrays()];
    for (int array = 0; array < pointers.length; array++) {
      if (nest.address(array) >= 0) {
        run.load(addresses);
        run.push(nest.address(array));
        run.op(Opcodes.LALOAD);
        run.push(nest.offset(array));
        run.op(Opcodes.LADD);
        pointers[array] = run.keep(long.class);
      }
    }
    boolean vectorLoop = plan.vectorDim() >= 0 && plan.levelOf(plan.vectorDim()) >= 0;
    Slot[] indices = new Slot[nest.region().dims().size()];
    outer(0, pointers, indices, vectorLoop ? null : plan.main());
    run.release(mark);
  }

  private void outer(int level, Slot[] pointers, Slot[] indices, Span span) {
    if (level == plan.blockLevel()) {
      callBlock(pointers, indices, span);
      return;
    }
    Loop loop = plan.loops().get(level);
    boolean vectors = loop.dim() == plan.vectorDim();
    int mark = run.mark();
    Slot i = run.slot(int.class);
    Runnable start = () -> run.push(0);
    Runnable end = () -> run.push(loop.end());
    run.loop(
        i,
        loop.step(),
        start,
        end,
        () -> outerBody(level, i, pointers, indices, vectors ? plan.main() : span));
    if (vectors && plan.rest() != null) {
      run.push(loop.end());
      run.store(i);
      outerBody(level, i, pointers, indices, plan.rest());
    }
    run.release(mark);
  }

  private void outerBody(int level, Slot i, Slot[] pointers, Slot[] indices, Span span) {
    int mark = run.mark();
    int dim = plan.loops().get(level).dim();
    Slot[] inner = Arrays.copyOf(indices, indices.length);
    inner[dim] = i;
    outer(level + 1, nest.advance(run, pointers, dim, i), inner, span);
    run.release(mark);
  }

  private void callBlock(Slot[] pointers, Slot[] indices, Span span) {
    List<Slot> arguments = new ArrayList<>();
    addPresent(pointers, arguments);
    addPresent(indices, arguments);
    String block = name + "block" + blocks++;
    if (plan.tile() == 0) {
      arguments.forEach(run::load);
      run.callOwn(owner, block, emitBlock(block, pointers, indices, arguments, false, span));
      return;
    }
    Loop loop = plan.loops().get(plan.blockLevel());
    int step = plan.tile() * loop.step();
    String descriptor = emitBlock(block, pointers, indices, arguments, true, span);
    int mark = run.mark();
    Slot start = run.slot(int.class);
    run.loop(
        start,
        step,
        () -> run.push(0),
        () -> run.push(loop.end()),
        () -> {
          arguments.forEach(run::load);
          run.load(start);
          run.load(start);
          run.push(step);
          run.op(Opcodes.IADD);
          run.push(loop.end());
          run.call(Math.class, "min", int.class, int.class);
          run.callOwn(owner, block, descriptor);
        });
    run.release(mark);
  }

  private static void addPresent(Slot[] slots, List<Slot> present) {
    for (Slot slot : slots) {
      if (slot != null) {
        present.add(slot);
      }
    }
  }

  /** Emits a block's method, gives its descriptor. */
  private String emitBlock(
      String block,
      Slot[] pointers,
      Slot[] indices,
      List<Slot> arguments,
      boolean part,
      Span span) {
    StringBuilder descriptor = new StringBuilder("(");
    arguments.forEach(slot -> descriptor.append(slot.type() == long.class ? 'J' : 'I'));
    descriptor.append(part ? "II)V" : ")V");
    int words = arguments.stream().mapToInt(slot -> slot.type() == long.class ? 2 : 1).sum() + 2;
    if (words > 255) {
      throw new RegionTooLargeException("a fused region has too many operands and outputs");
    }
    Set<Invariant> invariants = new LinkedHashSet<>();
    // The first pass only finds out which constants the method needs.
    emitBlock(
        new ClassWriter(0),
        block,
        descriptor.toString(),
        pointers,
        indices,
        part,
        span,
        invariants);
    int bytes =
        emitBlock(writer, block, descriptor.toString(), pointers, indices, part, span, invariants);
    if (bytes > MAX_METHOD_BYTES) {
      throw new RegionTooLargeException(
          "a fused region of cost "
              + LoopPlan.cost(nest.essential())
              + " needs a method of "
              + bytes
              + " bytes; the limit is "
              + MAX_METHOD_BYTES);
    }
    return descriptor.toString();
  }

  private int emitBlock(
      ClassWriter target,
      String block,
      String descriptor,
      Slot[] pointers,
      Slot[] indices,
      boolean part,
      Span span,
      Set<Invariant> invariants) {
    MethodVisitor method =
        target.visitMethod(Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC, block, descriptor, null, null);
    method.visitCode();
    Bytecode code = new Bytecode(method, 0);
    Slot[] ownPointers = parameters(code, pointers);
    Slot[] ownIndices = parameters(code, indices);
    Slot start = part ? code.slot(int.class) : null;
    Slot end = part ? code.slot(int.class) : null;
    LaneCode lanes =
        plan.vectorDim() < 0 ? new ScalarCode(code) : new VectorCode(code, width, invariants);
    new BlockEmitter(nest, plan, code, lanes, ownPointers, ownIndices, start, end).emit(span);
    return code.end();
  }

  private static Slot[] parameters(Bytecode code, Slot[] outer) {
    Slot[] own = new Slot[outer.length];
    for (int i = 0; i < outer.length; i++) {
      own[i] = outer[i] == null ? null : code.slot(outer[i].type());
    }
    return own;
  }
}
