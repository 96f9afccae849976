package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.CudaDriver;
import dev.vauban.tensor.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The names of cards, and what is said where there is none. */
class CudaDevicesTest {
  @ParameterizedTest
  @ValueSource(strings = {"cudas", "cuda:", "cuda:-1", "cuda:x", "cpu"})
  void otherNamesAreNotThisBackends(String name) {
    assertThat(new CudaDevices().open(name)).isEmpty();
  }

  @Test
  void anUnknownDeviceIsToldOfCards() {
    assertThatThrownBy(() -> Device.open("tpu")).hasMessageContaining("cuda:N (NVIDIA card N)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuda", "cuda:0"})
  void aMachineWithoutACardSaysWhatIsMissing(String name) {
    assumeFalse(hasDriver(), "SKIPPED: this machine has a CUDA driver");
    assertThatThrownBy(() -> Device.open(name))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("libcuda");
  }

  private static boolean hasDriver() {
    try {
      CudaDriver.load();
      return true;
    } catch (NativeException e) {
      return false;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"yes", "1", "tf32"})
  void aWrongChoiceOfPrecisionIsNamed(String value) {
    assertThatThrownBy(() -> Choices.precision(value))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("vauban.tf32 is " + value + "; it must be on or off");
    assertThat(Choices.precision(" ON ")).isEqualTo(Choices.Precision.TF32);
    assertThat(Choices.precision(null)).isEqualTo(Choices.Precision.F32);
  }
}
