package dev.vauban.tensor;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks that tensors fit a program before anything native sees them. */
public final class Binding {
  private Binding() {}

  /**
   * The tensors of {@code given} in the order of {@code expected}'s leaves.
   *
   * @param what {@code input} or {@code output}, for the message
   * @throws ShapeException if a leaf is missing, superfluous or of another type
   * @throws ClosedException if a tensor's scope is closed
   */
  public static List<Tensor> check(String what, Tree<Type> expected, Tree<Tensor> given) {
    Map<String, Type> types = expected.paths();
    Map<String, Tensor> tensors = given.paths();
    List<Tensor> out = new ArrayList<>();
    types.forEach((path, type) -> {
      Tensor t = tensors.get(path);
      if (t == null) {
        throw new ShapeException(what + " '" + path + "' (" + type + ") is missing");
      }
      if (!t.type().equals(type)) {
        throw new ShapeException(what + " '" + path + "' is " + t.type() + ", not " + type);
      }
      t.segment();
      out.add(t);
    });
    for (String path : tensors.keySet()) {
      if (!types.containsKey(path)) {
        throw new ShapeException("there is no " + what + " '" + path + "' in this program");
      }
    }
    return out;
  }

  /**
   * The outputs of a program that replace inputs for the next run.
   *
   * @return their paths
   * @throws ShapeException if the program has no such state, or puts out a part of it that is none
   *     of its inputs or of another type
   */
  public static Set<String> carried(Program program, Plan.Kept kept) {
    Map<String, Type> in = program.inputs().paths();
    if (in.keySet().stream().noneMatch(kept::carries)) {
      throw new ShapeException("there is no input '" + kept.state() + "' in this program");
    }
    for (String name : kept.fixed()) {
      if (!program.inputs().has(name)) {
        throw new ShapeException("there is no input '" + name + "' in this program");
      }
    }
    Set<String> carried = new LinkedHashSet<>();
    program
        .outputs()
        .paths()
        .forEach((path, type) -> {
          if (kept.carries(path)) {
            if (!type.equals(in.get(path))) {
              throw new ShapeException(
                  "output '%s' is %s and cannot be the next run's input, which is %s"
                      .formatted(path, type, in.containsKey(path) ? in.get(path) : "none"));
            }
            carried.add(path);
          }
        });
    return carried;
  }

  /**
   * Refuses outputs that share memory with an input or with each other.
   *
   * @throws ShapeException if one does
   */
  public static void refuseShared(List<Tensor> in, List<Tensor> out) {
    for (int o = 0; o < out.size(); o++) {
      refuseOverlap(out.get(o), in, "an input");
      refuseOverlap(out.get(o), out.subList(0, o), "another output");
    }
  }

  private static void refuseOverlap(Tensor output, List<Tensor> others, String what) {
    for (Tensor t : others) {
      if (overlap(t.segment(), output.segment())) {
        throw new ShapeException(
            "an output ("
                + output.type()
                + ") shares memory with "
                + what
                + " ("
                + t.type()
                + "); give every output a tensor of its own");
      }
    }
  }

  private static boolean overlap(MemorySegment a, MemorySegment b) {
    return a.byteSize() > 0
        && b.byteSize() > 0
        && a.address() < b.address() + b.byteSize()
        && b.address() < a.address() + a.byteSize();
  }
}
