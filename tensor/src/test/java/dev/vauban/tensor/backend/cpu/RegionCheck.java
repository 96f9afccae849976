package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.backend.cpu.RegionInterpreter.Element;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Output;
import dev.vauban.tensor.backend.fusion.Region.Reduction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** Runs a region through its kernel and through the interpreter and compares every byte. */
final class RegionCheck {
  private static final float[] SPECIAL = {
    0f,
    -0f,
    1f,
    -1f,
    1000f,
    -1000f,
    1e-40f,
    -1e-40f,
    Float.MIN_VALUE,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN
  };

  /** Tolerance for functions that are not exactly rounded. */
  private static final double APPROXIMATE_ULPS = 4;

  private RegionCheck() {}

  /** Checks on random inputs, some of them special; throws what differs. */
  static void check(Region region, VectorWidth width, RandomGenerator random) {
    check(region, width, random, 1);
  }

  /**
   * Checks, and that each of several runs gives the same bits.
   *
   * @param runs many, so that compiled code is reached
   */
  static void check(Region region, VectorWidth width, RandomGenerator random, int runs) {
    RegionKernel kernel = RegionCompiler.compile(region, width);
    try (Arena arena = Arena.ofConfined()) {
      List<RegionMemory> operands = new ArrayList<>();
      for (Region.Operand operand : region.operands()) {
        RegionMemory memory =
            new RegionMemory(
                arena, operand.dtype(), region.dims(), operand.strides(), random.nextInt(3));
        memory.poison();
        for (long n = 0; n < memory.elements(); n++) {
          memory.setInOrder(n, input(operand.dtype(), random));
        }
        operands.add(memory);
      }
      List<RegionMemory> outputs = new ArrayList<>();
      for (Output output : region.outputs()) {
        RegionMemory memory =
            new RegionMemory(
                arena, output.dtype(), region.dims(), output.strides(), random.nextInt(3));
        memory.poison();
        outputs.add(memory);
      }
      var expected =
          new RegionInterpreter(region, (operand, offset) -> operands.get(operand).get(offset))
              .run();
      long[] addresses = new long[operands.size() + outputs.size()];
      for (int i = 0; i < addresses.length; i++) {
        addresses[i] =
            (i < operands.size() ? operands.get(i) : outputs.get(i - operands.size())).address();
      }
      kernel.run(addresses);
      for (int o = 0; o < outputs.size(); o++) {
        compare(region, o, outputs.get(o), expected.get(o));
      }
      List<byte[]> first = bits(outputs, expected);
      for (int run = 1; run < runs; run++) {
        kernel.run(addresses);
        if (run % 100 == 0 || run == runs - 1) {
          List<byte[]> later = bits(outputs, expected);
          for (int o = 0; o < outputs.size(); o++) {
            assertThat(Arrays.mismatch(later.get(o), first.get(o)))
                .as("first byte where run %d differs in output %d of %s", run, o, region)
                .isNegative();
          }
        }
      }
    }
  }

  /** The bytes of the outputs, all NaN alike: Java leaves their bits open. */
  private static List<byte[]> bits(List<RegionMemory> outputs, List<Map<Long, Element>> expected) {
    List<byte[]> all = new ArrayList<>();
    for (int o = 0; o < outputs.size(); o++) {
      RegionMemory memory = outputs.get(o);
      byte[] bytes = memory.bytes();
      for (long offset : expected.get(o).keySet()) {
        if (Double.isNaN(memory.get(offset))) {
          int at = (int) memory.position(offset);
          Arrays.fill(bytes, at, at + memory.dtype().bytes(), (byte) 0xff);
        }
      }
      all.add(bytes);
    }
    return all;
  }

  private static double input(DType dtype, RandomGenerator random) {
    return switch (dtype) {
      case U8 -> random.nextInt(256);
      case I32 -> random.nextInt(50) == 0 ? random.nextInt() : random.nextInt(-100, 101);
      case F32, BF16, F64 ->
          random.nextInt(40) == 0
              ? SPECIAL[random.nextInt(SPECIAL.length)]
              : random.nextGaussian() * 2;
    };
  }

  private static void compare(
      Region region, int o, RegionMemory memory, Map<Long, Element> expected) {
    Output output = region.outputs().get(o);
    byte[] bytes = memory.bytes();
    boolean[] written = new boolean[bytes.length];
    expected.forEach((offset, element) -> {
      double actual = memory.get(offset);
      for (int b = 0; b < output.dtype().bytes(); b++) {
        written[(int) memory.position(offset) + b] = true;
      }
      double wanted = stored(element.value(), output.dtype());
      double tolerance = tolerance(region, output, element);
      boolean same =
          Double.isNaN(wanted)
              ? Double.isNaN(actual)
              : actual == wanted || Math.abs(actual - wanted) <= tolerance;
      assertThat(same)
          .withFailMessage(() ->
              "output %d, element %d: %s instead of %s (tolerance %s)\n%s"
                  .formatted(o, offset, actual, wanted, tolerance, region))
          .isTrue();
    });
    for (int b = 0; b < bytes.length; b++) {
      if (!written[b] && bytes[b] != (byte) 0xff) {
        throw new AssertionError("output " + o + " overwrote byte " + b + "\n" + region);
      }
    }
  }

  private static double stored(double value, DType dtype) {
    byte[] bytes = new byte[8];
    MemorySegment element = MemorySegment.ofArray(bytes);
    RegionMemory.write(element, dtype, 0, value);
    return RegionMemory.read(element, dtype, 0);
  }

  private static double tolerance(Region region, Output output, Element element) {
    DType compute = region.code().get(output.value()).compute();
    if (compute == DType.I32) {
      return 0;
    }
    boolean approximate = RandomRegions.isApproximate(region, output.value());
    double unit = compute == DType.F64 ? 0x1p-52 : 0x1p-23;
    double tolerance =
        approximate ? APPROXIMATE_ULPS * (unit * element.magnitude() + Float.MIN_VALUE) : 0;
    if (output instanceof Reduction r && r.kind() == Region.Kind.SUM) {
      tolerance += unit * element.magnitude() * Math.sqrt(element.count());
    }
    if (tolerance > 0) {
      tolerance +=
          switch (output.dtype()) {
            case F32, F64 -> 0;
            case BF16 -> Math.abs(element.value()) * 0x1p-7;
            case I32, U8 -> 1;
          };
    }
    return tolerance;
  }
}
