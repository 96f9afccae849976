package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.backend.cpu.kernels.Threefry.Distribution;
import org.junit.jupiter.api.Test;

class ThreefryTest {
  private final Area scratch = new Area(new Threefry(Distribution.BITS, 1, 1).scratchBytes());

  @Test
  void bitsAndUniformsAreThoseOfKey() {
    int[] keys = {0, 0, 1, -7, 0xDEADBEEF, 0x12345678};
    for (int n : new int[] {0, 1, 3, 5, 16, 17, 1000, 1024, 1025, 5003}) {
      Area k = Area.of(keys);
      Area bits = new Area(4L * 3 * n);
      new Threefry(Distribution.BITS, 3, n).run(k.address, bits.address, scratch.address);
      Area uniform = new Area(4L * 3 * n);
      new Threefry(Distribution.UNIFORM, 3, n).run(k.address, uniform.address, scratch.address);
      int[] b = bits.ints();
      float[] u = uniform.floats();
      for (int q = 0; q < 3; q++) {
        for (int i = 0; i < n; i++) {
          int expected = (int) (Key.block(keys[2 * q], keys[2 * q + 1], 0, i) >>> 32);
          assertThat(b[q * n + i]).isEqualTo(expected);
          assertThat(u[q * n + i]).isEqualTo((expected >>> 8) * 0x1p-24f);
        }
      }
    }
  }

  @Test
  void normalsFollowTheFormula() {
    int n = 200_003;
    Area z = new Area(4L * n);
    new Threefry(Distribution.NORMAL, 1, n).draw(3, 4, z.address, scratch.address);
    float[] v = z.floats();
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      long block = Key.block(3, 4, 0, i);
      double u = (((int) (block >>> 32) >>> 8) + 1) * 0x1p-24;
      double w = ((int) block >>> 8) * 0x1p-24;
      double expected = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * w);
      assertThat((double) v[i]).as("element " + i).isCloseTo(expected, within(2e-6));
      sum += v[i];
      squares += (double) v[i] * v[i];
    }
    assertThat(sum / n).isCloseTo(0, within(4 / Math.sqrt(n)));
    assertThat(squares / n).isCloseTo(1, within(6 / Math.sqrt(n)));
  }

  @Test
  void theSameBitsBeforeAndAfterCompilation() {
    Threefry kernel = new Threefry(Distribution.NORMAL, 1, 257);
    Area first = new Area(4 * 257);
    kernel.draw(8, 9, first.address, scratch.address);
    int[] expected = first.ints();
    for (int i = 0; i < 20_000; i++) {
      kernel.draw(8, 9, first.address, scratch.address);
    }
    assertThat(first.ints()).isEqualTo(expected);
  }

  @Test
  void foldsAreThoseOfKey() {
    int[] keys = {0, 0, 1, -7, 0xDEADBEEF, 0x12345678, 5, 6};
    int[] data = {0, 1, -1, Integer.MIN_VALUE};
    Area to = new Area(4 * 8);
    new KeyFold(4).run(Area.of(keys).address, Area.of(data).address, to.address, 0);
    for (int i = 0; i < 4; i++) {
      Key expected = new Key(keys[2 * i], keys[2 * i + 1]).fold(data[i]);
      assertThat(to.ints()[2 * i]).isEqualTo(expected.k0());
      assertThat(to.ints()[2 * i + 1]).isEqualTo(expected.k1());
    }
  }
}
