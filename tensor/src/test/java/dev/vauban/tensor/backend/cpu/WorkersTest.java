package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WorkersTest {
  @Test
  void everyElementRunsOnceOnAWorkerThatItsTaskKnows() {
    try (Workers workers = new Workers(4)) {
      for (int run = 0; run < 3000; run++) {
        int n = run % 7;
        AtomicIntegerArray times = new AtomicIntegerArray(Math.max(n, 1));
        AtomicIntegerArray busy = new AtomicIntegerArray(Math.min(4, Math.max(n, 1)));
        workers.run(
            (element, worker) -> {
              // Worker numbers beyond the elements' have no frame: this would throw.
              assertThat(busy.getAndIncrement(worker)).isZero();
              times.getAndIncrement(element);
              if (element % 2 == 0) {
                Thread.yield();
              }
              busy.getAndDecrement(worker);
            },
            n);
        for (int i = 0; i < n; i++) {
          assertThat(times.get(i)).isEqualTo(1);
        }
      }
    }
  }

  @Test
  void afterAFailureTheNextTaskRuns() {
    try (Workers workers = new Workers(3)) {
      for (int run = 0; run < 200; run++) {
        int bad = run % 10;
        assertThatThrownBy(() ->
                workers.run(
                    (element, worker) -> {
                      if (element == bad) {
                        throw new IllegalStateException("element " + element);
                      }
                    },
                    10))
            .hasMessage("element " + bad);
        AtomicIntegerArray times = new AtomicIntegerArray(10);
        workers.run((element, worker) -> times.getAndIncrement(element), 10);
        for (int i = 0; i < 10; i++) {
          assertThat(times.get(i)).isEqualTo(1);
        }
      }
    }
  }
}
