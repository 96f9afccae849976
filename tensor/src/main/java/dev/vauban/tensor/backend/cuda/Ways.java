package dev.vauban.tensor.backend.cuda;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Says which way a convolution is computed where there are two. */
@FunctionalInterface
interface Ways {
  /** A way. */
  enum Way {
    /** One kernel that looks its factors up in the images, see {@link Convolutions}. */
    IMPLICIT,
    /** Stored patches and a product of cuBLASLt's, see {@link Im2col}. */
    PATCHES
  }

  /** The same whatever is asked; what is chosen where nothing can be measured. */
  Ways IMPLICIT = a -> Way.IMPLICIT;

  /** The way of a convolution. */
  Way of(Alternatives a);

  /**
   * A convolution's steps each way.
   *
   * @param reads memory of its two inputs
   * @param write of its result
   */
  record Alternatives(List<Object> reads, Object write, List<Step> implicit, List<Step> patches) {
    /** The steps of one way. */
    List<Step> steps(Way way) {
      return way == Way.IMPLICIT ? implicit : patches;
    }

    /** The kernels of both ways. */
    Map<String, Kernel> kernels() {
      Map<String, Kernel> out = new LinkedHashMap<>();
      for (Way way : Way.values()) {
        for (Step s : steps(way)) {
          if (s instanceof Step.Kernels k) {
            k.launches().forEach(l -> out.putIfAbsent(l.kernel().name(), l.kernel()));
          }
        }
      }
      return out;
    }

    /**
     * What the quicker way depends on beside the card: names of kernels, which are made of their
     * text, sizes of launches, products. Equal convolutions of all programs have the same.
     */
    String key() {
      StringBuilder s = new StringBuilder();
      for (Way way : Way.values()) {
        s.append(way).append('\n');
        for (Step step : steps(way)) {
          switch (step) {
            case Step.Kernels k ->
                k.launches()
                    .forEach(l -> s.append(l.kernel().name()).append(l.shape()).append('\n'));
            case Step.Library l -> s.append(l.product()).append('\n');
            case Step.Copy c -> throw new IllegalStateException("no part of a convolution");
            case Step.Loop l -> throw new IllegalStateException("no part of a convolution");
          }
        }
      }
      return s.toString();
    }
  }
}
