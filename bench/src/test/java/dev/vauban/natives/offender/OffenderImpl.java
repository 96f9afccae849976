package dev.vauban.natives.offender;

import dev.vauban.tensor.Shape;
import jdk.incubator.vector.FloatVector;

/** Breaks every rule of the architecture, so that a test can see each of them fail. */
public final class OffenderImpl {
  private OffenderImpl() {}

  static void offend() {
    System.out.println(Shape.of(FloatVector.SPECIES_PREFERRED.length()));
  }
}
