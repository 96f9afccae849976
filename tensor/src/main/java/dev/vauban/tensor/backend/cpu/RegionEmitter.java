package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Constant;
import dev.vauban.tensor.backend.fusion.Region.Output;
import dev.vauban.tensor.backend.fusion.Region.Reduction;
import dev.vauban.tensor.backend.fusion.Region.Store;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Emits the class of a region: a stateless {@link RegionKernel}. Reductions over different
 * dimensions are computed in passes of their own; stores come last, so that a store may overwrite
 * the operand that it was computed from.
 */
final class RegionEmitter {
  private static final int CLASS_VERSION = Opcodes.V21;

  private final Region region;
  private final VectorWidth width;
  private final String owner;
  private final ClassWriter writer = new FrameWriter();
  private int nests;

  RegionEmitter(Region region, VectorWidth width) {
    this.region = region;
    this.width = width;
    this.owner = Type.getInternalName(RegionKernel.class).replace("RegionKernel", "EmittedRegion");
  }

  /** The class file. */
  byte[] emit() {
    writer.visit(
        CLASS_VERSION,
        Opcodes.ACC_FINAL | Opcodes.ACC_SUPER,
        owner,
        null,
        "java/lang/Object",
        new String[] {Type.getInternalName(RegionKernel.class)});
    emitConstructor();
    MethodVisitor method = writer.visitMethod(Opcodes.ACC_PUBLIC, "run", "([J)V", null, null);
    method.visitCode();
    Bytecode run = new Bytecode(method, 1);
    Slot addresses = run.slot(long[].class);
    for (List<Integer> outputs : passes()) {
      emitPass(outputs, run, addresses);
    }
    int bytes = run.end();
    if (bytes > NestEmitter.MAX_METHOD_BYTES) {
      throw new RegionTooLargeException("a fused region has too many passes");
    }
    writer.visitEnd();
    return writer.toByteArray();
  }

  private void emitConstructor() {
    MethodVisitor method = writer.visitMethod(0, "<init>", "()V", null, null);
    method.visitCode();
    method.visitVarInsn(Opcodes.ALOAD, 0);
    method.visitMethodInsn(Opcodes.INVOKESPECIAL, "java/lang/Object", "<init>", "()V", false);
    method.visitInsn(Opcodes.RETURN);
    method.visitMaxs(0, 0);
    method.visitEnd();
  }

  /** Outputs by the dimensions they reduce; stores go with the last. */
  private List<List<Integer>> passes() {
    Map<List<Boolean>, List<Integer>> byPattern = new LinkedHashMap<>();
    List<Integer> stores = new ArrayList<>();
    for (int o = 0; o < region.outputs().size(); o++) {
      switch (region.outputs().get(o)) {
        case Store store -> stores.add(o);
        case Reduction r ->
            byPattern
                .computeIfAbsent(
                    r.strides().stream().map(s -> s == 0).toList(), p -> new ArrayList<>())
                .add(o);
      }
    }
    List<List<Integer>> passes = new ArrayList<>(byPattern.values());
    if (passes.isEmpty()) {
      passes.add(stores);
    } else {
      passes.get(passes.size() - 1).addAll(stores);
    }
    return passes;
  }

  private void emitPass(List<Integer> outputs, Bytecode run, Slot addresses) {
    List<Output> written = outputs.stream().map(region.outputs()::get).toList();
    List<Integer> at = outputs.stream().map(o -> region.operands().size() + o).toList();
    Region pass = new Region(region.dims(), region.operands(), region.code(), written);
    List<NestEmitter> parts = parts(Nest.of(pass, at)).stream().map(n -> emitter(n, run)).toList();
    if (parts.stream().anyMatch(part -> part.plan().partialSums())) {
      for (int o = 0; o < written.size(); o++) {
        if (written.get(o) instanceof Reduction r) {
          emitter(Nest.of(fill(r), List.of(at.get(o))), run).emit(addresses);
        }
      }
    }
    parts.forEach(part -> part.emit(addresses));
  }

  /** The pass, or what whole vectors cover of it and the rest. */
  private List<Nest> parts(Nest nest) {
    LoopPlan.Cut cut = LoopPlan.cut(nest.essential(), width);
    if (cut == null) {
      return List.of(nest);
    }
    int size = region.dims().get(cut.dim());
    return List.of(nest.part(cut.dim(), 0, cut.at()), nest.part(cut.dim(), cut.at(), size));
  }

  private NestEmitter emitter(Nest nest, Bytecode run) {
    return new NestEmitter(writer, owner, "pass" + nests++, nest, width, run);
  }

  /** A region that sets the output of a reduction to the neutral element. */
  private Region fill(Reduction r) {
    DType compute = region.code().get(r.value()).compute();
    boolean isInt = compute == DType.I32;
    double neutral =
        switch (r.kind()) {
          case SUM -> 0;
          case MAX -> isInt ? Integer.MIN_VALUE : Double.NEGATIVE_INFINITY;
          case MIN -> isInt ? Integer.MAX_VALUE : Double.POSITIVE_INFINITY;
        };
    List<Integer> dims = new ArrayList<>();
    List<Long> strides = new ArrayList<>();
    for (int d = 0; d < region.dims().size(); d++) {
      if (r.strides().get(d) != 0) {
        dims.add(region.dims().get(d));
        strides.add(r.strides().get(d));
      }
    }
    if (dims.isEmpty()) {
      dims.add(1);
      strides.add(1L);
    }
    return new Region(
        dims,
        List.of(),
        List.of(new Constant(neutral, compute)),
        List.of(new Store(0, r.dtype(), strides)));
  }

  /**
   * Frames merge only equal types and unused ones, so no class needs to be loaded to compute them.
   */
  private static final class FrameWriter extends ClassWriter {
    FrameWriter() {
      super(COMPUTE_FRAMES);
    }

    @Override
    protected String getCommonSuperClass(String a, String b) {
      return a.equals(b) ? a : "java/lang/Object";
    }
  }
}
