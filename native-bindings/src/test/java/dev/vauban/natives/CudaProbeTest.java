package dev.vauban.natives;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CudaProbeTest {
  @Test
  void aMissingDriverIsNamed() {
    CudaProbe probe = CudaProbe.probe("libno-such-driver.so.1");
    assertThat(probe.available()).isFalse();
    assertThat(probe.reason())
        .isEqualTo(
            "the dynamic linker finds no libno-such-driver.so.1; it comes with the NVIDIA driver for"
                + " the GPU");
  }

  @Test
  void anotherLibraryIsNotTheDriver() {
    CudaProbe probe = CudaProbe.probe("libc.so.6");
    assertThat(probe.available()).isFalse();
    assertThat(probe.reason()).startsWith("libc.so.6 was found, but is not the CUDA driver");
  }

  @Test
  void thisMachineHasADriverOrAReason() {
    CudaProbe probe = CudaProbe.run();
    assertThat(probe.available()).isEqualTo(probe.reason().isEmpty());
  }
}
