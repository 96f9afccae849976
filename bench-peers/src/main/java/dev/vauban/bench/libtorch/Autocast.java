package dev.vauban.bench.libtorch;

import dev.vauban.tensor.Precision;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * libtorch's automatic precision on the CPU, for the calling thread, until it is closed: operands
 * of convolutions and matrix products are cast to bf16 in front of each, in backward passes too.
 */
final class Autocast implements AutoCloseable {
  /** Turns it on for bf16; leaves F32 alone. */
  Autocast(Precision precision) {
    if (precision == Precision.BF16) {
      // The cache of cast weights is one for all threads, each of which has its own graph.
      torch.set_autocast_cache_enabled(false);
      torch.set_autocast_dtype(DeviceType.CPU, ScalarType.BFloat16);
      torch.set_autocast_enabled(DeviceType.CPU, true);
    }
  }

  @Override
  public void close() {
    torch.set_autocast_enabled(DeviceType.CPU, false);
  }
}
