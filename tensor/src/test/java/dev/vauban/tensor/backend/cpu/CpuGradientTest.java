package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.GradientCheck;
import dev.vauban.tensor.OpCase;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The first and second gradients of every row of the table of operations, on the CPU against the
 * reference: with oneDNN where there is one on two workers, and with the Java kernels on one.
 */
class CpuGradientTest {
  private static final Map<String, CpuDevice> DEVICES = new LinkedHashMap<>();

  static {
    DEVICES.put("best kernels, 2 workers", CpuDevice.open(2, CpuDevice.Kernels.BEST));
    DEVICES.put("java kernels", CpuDevice.open(1, CpuDevice.Kernels.JAVA));
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Device::close);
  }

  @TestFactory
  Stream<DynamicNode> firstGradients() {
    return onEveryDevice(GradientCheck.smooth(), 1);
  }

  @TestFactory
  Stream<DynamicNode> secondGradients() {
    return onEveryDevice(GradientCheck.smooth(), 2);
  }

  private static Stream<DynamicNode> onEveryDevice(Stream<OpCase> rows, int order) {
    List<OpCase> all = rows.toList();
    return DEVICES.entrySet().stream()
        .map(d ->
            DynamicContainer.dynamicContainer(
                d.getKey(),
                all.stream()
                    .map(c ->
                        DynamicTest.dynamicTest(
                            c.name(), () -> GradientCheck.compare(c, order, d.getValue())))));
  }
}
